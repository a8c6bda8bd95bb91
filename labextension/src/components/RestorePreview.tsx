import type { JSX } from 'react';

import type { ISnapshot } from '../api/types';
import { ApplicationChanges } from './ApplicationChanges';
import { useAsked, useNuvo } from './context';
import { Counts } from './Counts';
import { Outcomes } from './Outcomes';
import { Problem } from './Problem';
import { Disclosure } from './Section';

/** What restoring paths of a snapshot, or all of it, would do to the current state. */
export function RestorePreview(props: { snapshot: ISnapshot; paths: string[] }): JSX.Element {
  const { snapshot, paths } = props;
  const { service, trans } = useNuvo();
  const { answer, problem } = useAsked(
    () => service.previewRestore(snapshot, paths),
    `${snapshot.reference} ${paths.join()}`
  );
  const found = problem ?? answer?.problem;
  if (found) {
    return <Problem problem={found} />;
  }
  if (!answer) {
    return (
      <p className="nuvo-Muted" role="status">
        {trans.__('Looking at what would change…')}
      </p>
    );
  }
  const total = Object.values(answer.counts).reduce((sum, count) => sum + count, 0);
  return (
    <div className="nuvo-Form-list">
      <ApplicationChanges changes={answer.applications} />
      <Disclosure
        head={
          <span role="status">
            {total === 0 ? trans.__('Nothing to do.') : <Counts counts={answer.counts} />}
          </span>
        }
      >
        {() => (
          <>
            <Outcomes outcomes={answer.outcomes} />
            {total > answer.outcomes.length && (
              <p className="nuvo-Muted">
                {trans.__('… and %1 more', total - answer.outcomes.length)}
              </p>
            )}
          </>
        )}
      </Disclosure>
    </div>
  );
}
