import type { JSX } from 'react';

import type { IObjectOutcome } from '../api/types';
import { objectName } from '../formats';
import { OUTCOMES, outcomeWord } from '../words';
import { useNuvo } from './context';
import { KindIcon } from './KindIcon';

const SHOWN = 200;

/** What becomes of each object in one target; what needs attention first. */
export function Outcomes({ outcomes }: { outcomes: IObjectOutcome[] }): JSX.Element {
  const { trans } = useNuvo();
  const sorted = wholeApplications(outcomes).sort(
    (a, b) =>
      OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) || a.path.localeCompare(b.path)
  );
  return (
    <>
      {sorted.length === 0 && <p className="nuvo-Muted">{trans.__('Nothing to do.')}</p>}
      <ul className="nuvo-List nuvo-Tree" aria-label={trans.__('Objects')}>
        {sorted.slice(0, SHOWN).map(one => (
          <li key={`${one.kind} ${one.path} ${one.at}`} className="nuvo-Outcome">
            <span className="nuvo-Outcome-word" data-outcome={one.outcome}>
              {outcomeWord(one.outcome, trans)}
            </span>
            {one.kind && one.kind !== 'file' && <KindIcon kind={one.kind} />}
            <span className="nuvo-Outcome-text">
              <span className="nuvo-Entry-name" title={one.path}>
                {objectName(one.kind, one.path)}
              </span>
              {one.at && one.at !== one.path && (
                <span className="nuvo-Row-sub">{trans.__('as %1', one.at)}</span>
              )}
              {one.detail && <span className="nuvo-Row-sub nuvo-Wrap">{one.detail}</span>}
            </span>
          </li>
        ))}
      </ul>
      {sorted.length > SHOWN && (
        <p className="nuvo-Muted">{trans.__('… and %1 more', sorted.length - SHOWN)}</p>
      )}
    </>
  );
}

/** An application is one object, of however many files: those that met the same outcome are told once. */
function wholeApplications(outcomes: IObjectOutcome[]): IObjectOutcome[] {
  const told = new Map<string, IObjectOutcome>();
  const rest: IObjectOutcome[] = [];
  for (const one of outcomes) {
    if (one.kind !== 'application') {
      rest.push(one);
      continue;
    }
    const key = `${one.outcome} ${objectName(one.kind, one.path)}`;
    const before = told.get(key);
    told.set(key, before ? { ...before, detail: before.detail || one.detail } : one);
  }
  return [...rest, ...told.values()];
}
