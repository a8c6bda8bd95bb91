import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import type { IApplicationChange, IPackageChange } from '../api/types';
import { outcomeWord } from '../words';
import { useNuvo } from './context';
import { Disclosure } from './Section';

/** What becomes of the packages of each application, and what to know about it first. */
export function ApplicationChanges(props: { changes: IApplicationChange[] }): JSX.Element | null {
  const { trans } = useNuvo();
  if (props.changes.length === 0) {
    return null;
  }
  return (
    <ul className="nuvo-List" aria-label={trans.__('Changes of applications')}>
      {props.changes.map(change => (
        <li key={change.name}>
          <ApplicationChange change={change} />
        </li>
      ))}
    </ul>
  );
}

function ApplicationChange({ change }: { change: IApplicationChange }): JSX.Element {
  const { trans } = useNuvo();
  const { kernel, packages, settings, unchanged, warnings } = change.comparison;
  const notes = [
    ...(kernel ? [trans.__('Its kernel is started otherwise.')] : []),
    ...(settings.length ? [trans.__('Settings that differ: %1', settings.join(', '))] : [])
  ];
  const head = (
    <span>
      <b>{change.name}</b>{' '}
      <span className="nuvo-Muted">
        {outcomeWord(change.outcome, trans)}
        {' · '}
        {trans._n('%1 package differs', '%1 packages differ', packages.length)}
        {unchanged > 0 && `, ${trans.__('%1 the same', unchanged)}`}
      </span>
    </span>
  );
  return (
    <>
      <Disclosure head={head}>
        {() => (
          <ul className="nuvo-List nuvo-Packages" aria-label={trans.__('Packages that differ')}>
            {packages.map(one => (
              <li key={one.name} className="nuvo-Entry">
                <span className="nuvo-Sign" data-difference={one.kind} aria-hidden="true">
                  {SIGNS[one.kind]}
                </span>
                <span className="nuvo-Entry-name">{one.name}</span>
                <span className="nuvo-Muted">{packageText(one, trans)}</span>
              </li>
            ))}
            {notes.map(note => (
              <li key={note} className="nuvo-Entry">
                {note}
              </li>
            ))}
          </ul>
        )}
      </Disclosure>
      {warnings.map(warning => (
        <p key={warning} className="nuvo-Warning" role="note">
          {warning}
        </p>
      ))}
    </>
  );
}

const SIGNS: Record<IPackageChange['kind'], string> = {
  added: '+',
  removed: '−',
  upgraded: '↑',
  downgraded: '↓',
  rebuilt: '±'
};

function packageText(change: IPackageChange, trans: TranslationBundle): string {
  const { after, before } = change;
  switch (change.kind) {
    case 'added':
      return trans.__('%1, added', after ?? '');
    case 'removed':
      return trans.__('%1, removed', before ?? '');
    case 'rebuilt':
      return trans.__('%1, with other content', after ?? '');
    default:
      return `${before} → ${after}`;
  }
}
