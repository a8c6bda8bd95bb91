import type { JSX } from 'react';

import { call } from '../api/operations';
import type { Difference, IPathDifference, ISnapshot } from '../api/types';
import { snapshotTitle } from '../formats';
import { differenceWord } from '../words';
import { useAsked, useModel, useNuvo } from './context';
import { FileDiff } from './FileDiff';
import { Problem } from './Problem';
import { Disclosure } from './Section';

const SIGNS: Record<Difference, string> = {
  added: '+',
  removed: '−',
  changed: '±',
  type_changed: '≠',
  mode_changed: 'm'
};

/** What differs between a snapshot and the current state. */
export function Comparison({ snapshot }: { snapshot: ISnapshot }): JSX.Element {
  const { service, trans } = useNuvo();
  const state = useModel(service.state);
  const left = snapshot.reference;
  const right = snapshot.instance.includes('/') ? snapshot.instance : left.split('@')[0];
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/compare', { left, right, limit: 500 }),
    `${left} ${state.snapshots[0]?.number}`
  );
  if (problem) {
    return <Problem problem={problem} />;
  }
  if (!answer) {
    return (
      <p className="nuvo-Muted" role="status">
        {trans.__('Comparing…')}
      </p>
    );
  }
  const title = snapshotTitle(snapshot, trans);
  return (
    <div className="nuvo-Comparison">
      <p role="status">
        {answer.total === 0
          ? trans.__('The current state is the same as “%1”.', title)
          : trans._n(
              '%1 path of the current state differs:',
              '%1 paths of the current state differ:',
              answer.total
            )}
      </p>
      <ul className="nuvo-List nuvo-Tree" aria-label={trans.__('Differences')}>
        {answer.differences.map(difference => (
          <li key={difference.path}>
            <DifferentPath left={left} right={right} difference={difference} />
          </li>
        ))}
      </ul>
      {answer.total > answer.differences.length && (
        <p className="nuvo-Muted">
          {trans.__('… and %1 more', answer.total - answer.differences.length)}
        </p>
      )}
    </div>
  );
}

function DifferentPath(props: {
  left: string;
  right: string;
  difference: IPathDifference;
}): JSX.Element {
  const { trans } = useNuvo();
  const { path, difference, kind } = props.difference;
  const word = differenceWord(difference, trans);
  const head = (
    <>
      <span
        className="nuvo-Sign"
        data-difference={difference}
        role="img"
        aria-label={word}
        title={word}
      >
        {SIGNS[difference]}
      </span>
      <span className="nuvo-Entry-name" title={path}>
        {path}
      </span>
    </>
  );
  if (difference !== 'changed' || kind !== 'file') {
    return <div className="nuvo-Entry">{head}</div>;
  }
  return (
    <Disclosure head={head}>
      {() => <FileDiff left={`${props.left}:${path}`} right={`${props.right}:${path}`} />}
    </Disclosure>
  );
}
