import { type JSX, useState } from 'react';

import type { IUsage } from '../api/types';
import { size } from '../formats';
import { reasonWord } from '../words';
import { useNuvo } from './context';
import { UsageBar } from './UsageBar';

const SHOWN = 12;

/** What each snapshot of an instance needs of the store: a bar of what it alone needs, and of what it shares. */
export function UsageChart({ usage }: { usage: IUsage }): JSX.Element | null {
  const { trans } = useNuvo();
  const [all, setAll] = useState(false);
  const instance = usage.spaces[0]?.instances[0];
  if (!instance) {
    return <p className="nuvo-Muted">{trans.__('Nothing is stored yet.')}</p>;
  }
  const longest = Math.max(...instance.details.map(one => one.held), 1);
  const shown = all ? instance.details : instance.details.slice(0, SHOWN);
  return (
    <div className="nuvo-Usage">
      <p>
        {trans.__(
          '%1 together, %2 of it needed by nothing else.',
          size(instance.held),
          size(instance.alone)
        )}
      </p>
      <p className="nuvo-Usage-legend nuvo-Muted" aria-hidden="true">
        <span className="nuvo-Usage-key nuvo-Usage-alone" /> {trans.__('alone: free when deleted')}
        <span className="nuvo-Usage-key nuvo-Usage-shared" /> {trans.__('shared')}
      </p>
      <ol className="nuvo-List" aria-label={trans.__('Stored by snapshot, newest first')}>
        {shown.map(one => (
          <li key={one.reference} title={reasonWord(one.reason, trans)}>
            <span className="nuvo-Usage-name">{one.name ?? `@${one.number}`}</span>
            <span className="nuvo-Usage-text nuvo-Muted">
              {trans.__('%1 alone, %2 shared', size(one.alone), size(one.held - one.alone))}
              {one.deleted ? ` · ${trans.__('deleted')}` : ''}
            </span>
            <UsageBar held={one.held} alone={one.alone} longest={longest} />
          </li>
        ))}
      </ol>
      {!all && instance.details.length > SHOWN && (
        <button className="nuvo-Link" onClick={() => setAll(true)}>
          {trans.__('Show all %1 snapshots', instance.details.length)}
        </button>
      )}
      <p className="nuvo-Muted">
        {trans.__(
          'The store has %1; nothing holds %2 of it.',
          size(usage.packs),
          size(usage.unheld)
        )}
      </p>
    </div>
  );
}
