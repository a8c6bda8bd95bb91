import type { TranslationBundle } from '@jupyterlab/translation';
import { type JSX, useId } from 'react';

import type { ICollectReport, IForgetReport, IKeep } from '../api/types';
import { size } from '../formats';
import type { Form } from './form';
import { TextField } from './snapshotForm';

/** The form of a space's rule. */
export function ruleForm(trans: TranslationBundle): Form<IKeep> {
  const numbers: [keyof IKeep, string][] = [
    ['last', trans.__('Newest')],
    ['hourly', trans.__('Hours')],
    ['daily', trans.__('Days')],
    ['weekly', trans.__('Weeks')],
    ['monthly', trans.__('Months')],
    ['yearly', trans.__('Years')]
  ];
  return function RuleForm({ value, onChange }): JSX.Element {
    const id = useId();
    return (
      <>
        <p>
          {trans.__(
            'Automatic snapshots that no reason keeps are deleted once a day: so many of the newest stay, and of so many hours, days… the newest of each. Without any number all stay.'
          )}
        </p>
        <div className="nuvo-Form-numbers">
          {numbers.map(([name, label]) => (
            <div key={name}>
              <label htmlFor={`${id}-${name}`}>{label}</label>
              <input
                id={`${id}-${name}`}
                type="number"
                min={0}
                max={100000}
                className="jp-mod-styled"
                value={Number(value[name] ?? 0)}
                onChange={event => onChange({ ...value, [name]: Number(event.target.value) })}
              />
            </div>
          ))}
        </div>
        <TextField
          label={trans.__('All within a period before the newest (30d, 12h, 1y6m)')}
          value={value.within ?? ''}
          onChange={within => onChange({ ...value, within })}
        />
      </>
    );
  };
}

/** What a rule would delete, to be confirmed. */
export function forgetForm(
  report: IForgetReport,
  trans: TranslationBundle
): Form<{ sure: boolean }> {
  const going = report.snapshots.filter(one => !one.kept);
  return function ForgetForm(): JSX.Element {
    return (
      <>
        <p>
          {trans._n(
            '%1 of %2 snapshots would be deleted; that frees %3 later.',
            '%1 of %2 snapshots would be deleted; that frees %3 later.',
            going.length,
            report.snapshots.length,
            size(report.frees)
          )}
        </p>
        <div className="nuvo-Preview nuvo-Form-list">
          <table aria-label={trans.__('What the rule says')}>
            <tbody>
              {report.snapshots.map(one => (
                <tr key={one.reference}>
                  <th scope="row">{one.reference.split('/').pop()}</th>
                  <td>{one.kept ? trans.__('stays') : <strong>{trans.__('goes')}</strong>}</td>
                  <td className="nuvo-Muted">{(one.why ?? []).join(', ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </>
    );
  };
}

/** What collecting would free, and whether at once. */
export function collectForm(
  report: ICollectReport,
  trans: TranslationBundle
): Form<{ now: boolean }> {
  return function CollectForm({ value, onChange }): JSX.Element {
    const id = useId();
    return (
      <>
        <p>
          {trans.__(
            'What no snapshot needs any more is removed: in the end %1 of %2.',
            size(Math.max(report.freed - report.written, 0)),
            size(report.store_size + Math.max(report.freed - report.written, 0))
          )}
        </p>
        <p className="nuvo-Muted">
          {trans.__('That takes a grace period, in which backups of the store can be completed.')}
        </p>
        <div className="nuvo-Form-check">
          <input
            type="checkbox"
            id={id}
            checked={value.now}
            onChange={event => onChange({ now: event.target.checked })}
          />
          <label htmlFor={id}>
            {trans.__('At once, and also what could still be brought back')}
          </label>
        </div>
      </>
    );
  };
}
