import type { JSX } from 'react';

import { call } from '../api/operations';
import type { ISnapshot } from '../api/types';
import { useAsked, useNuvo } from './context';
import { Problem } from './Problem';
import { Disclosure } from './Section';

/** What a snapshot does not hold and why, and files that kept changing while they were read. */
export function LeftOut({ snapshot }: { snapshot: ISnapshot }): JSX.Element {
  const { trans } = useNuvo();
  const count = snapshot.excluded + snapshot.inconsistent;
  const head = <span>{trans._n('%1 path to know about', '%1 paths to know about', count)}</span>;
  return <Disclosure head={head}>{() => <Details snapshot={snapshot} />}</Disclosure>;
}

function Details({ snapshot }: { snapshot: ISnapshot }): JSX.Element | null {
  const { service, trans } = useNuvo();
  const state = snapshot.reference;
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/snapshot', { state }),
    state
  );
  if (problem) {
    return <Problem problem={problem} />;
  }
  return (
    <ul className="nuvo-List nuvo-Tree">
      {answer?.excluded.map(({ path, reason }) => (
        <li key={path} className="nuvo-Entry">
          <span className="nuvo-Entry-name" title={path}>
            {path}
          </span>
          <span className="nuvo-Muted">{reason}</span>
        </li>
      ))}
      {answer?.inconsistent.map(path => (
        <li key={path} className="nuvo-Entry">
          <span className="nuvo-Entry-name" title={path}>
            {path}
          </span>
          <span className="nuvo-Muted">{trans.__('changed while it was read')}</span>
        </li>
      ))}
    </ul>
  );
}
