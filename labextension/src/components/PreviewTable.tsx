import { type JSX, useState } from 'react';

import { NuvoError } from '../api/error';
import { call } from '../api/operations';
import type { IPreview, ITargetPreview } from '../api/types';
import { OUTCOMES, outcomeWord } from '../words';
import { ApplicationChanges } from './ApplicationChanges';
import { useNuvo } from './context';
import { Outcomes } from './Outcomes';
import { Problem } from './Problem';

/** What a distribution would do: targets × outcomes, each target's objects on demand. */
export function PreviewTable({ preview }: { preview: IPreview }): JSX.Element {
  const { trans } = useNuvo();
  const { targets } = preview;
  const told = OUTCOMES.filter(outcome => targets.some(target => target.counts[outcome]));
  return (
    <div className="nuvo-Preview">
      <table aria-label={trans.__('What would happen')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Instance')}</th>
            {told.map(outcome => (
              <th scope="col" key={outcome} className="nuvo-Number">
                {outcomeWord(outcome, trans)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {targets.map(target => (
            <TargetRows key={target.instance} task={preview.task.id} target={target} told={told} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TargetRows(props: { task: number; target: ITargetPreview; told: string[] }): JSX.Element {
  const { task, target, told } = props;
  const { service, trans } = useNuvo();
  const [open, setOpen] = useState(false);
  const [outcomes, setOutcomes] = useState(target.outcomes);
  const [problem, setProblem] = useState<NuvoError | null>(null);
  const warned = target.applications.some(one => one.comparison.warnings.length > 0);
  const total = Object.values(target.counts).reduce((sum, count) => sum + count, 0);
  const more = async () => {
    try {
      const page = await call(service.server, 'get', '/previews/{id}/target', {
        id: task,
        instance: target.instance,
        after: outcomes.length
      });
      setOutcomes([...outcomes, ...page.outcomes]);
      setProblem(null);
    } catch (error) {
      setProblem(NuvoError.of(error));
    }
  };
  const toggle = () => {
    setOpen(!open);
    if (!open && outcomes.length === 0 && total > 0) {
      void more();
    }
  };
  return (
    <>
      <tr>
        <th scope="row">
          <button className="nuvo-Link" aria-expanded={open} onClick={toggle}>
            {target.instance.split('/').pop()}
          </button>
          {warned && (
            <span className="nuvo-Badge" data-kind="attention">
              {trans.__('read first')}
            </span>
          )}
        </th>
        {target.problem ? (
          <td colSpan={Math.max(told.length, 1)}>
            <Problem problem={target.problem} />
          </td>
        ) : (
          told.map(outcome => (
            <td key={outcome} className="nuvo-Number" data-outcome={outcome}>
              {target.counts[outcome] || <span aria-label={trans.__('none')}>·</span>}
            </td>
          ))
        )}
      </tr>
      {open && (
        <tr>
          <td colSpan={told.length + 1}>
            <ApplicationChanges changes={target.applications} />
            <Outcomes outcomes={outcomes} />
            {problem && <Problem problem={problem} />}
            {outcomes.length > 0 && outcomes.length < total && (
              <button className="nuvo-Link" onClick={() => void more()}>
                {trans.__('Show more')}
              </button>
            )}
          </td>
        </tr>
      )}
    </>
  );
}
