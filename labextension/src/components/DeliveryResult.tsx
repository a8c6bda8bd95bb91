import type { JSX } from 'react';

import { call } from '../api/operations';
import type { ITask } from '../api/types';
import { useAsked, useNuvo } from './context';
import { Outcomes } from './Outcomes';
import { Problem } from './Problem';

/** What a delivery did to each object, and where to look at the target now and before. */
export function DeliveryResult({ delivery }: { delivery: ITask }): JSX.Element {
  const { service, trans } = useNuvo();
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/deliveries/{id}', { id: delivery.id }),
    `${delivery.id} ${delivery.state}`
  );
  return (
    <div className="nuvo-Row-body">
      {delivery.problem && <Problem problem={delivery.problem} />}
      {problem && <Problem problem={problem} />}
      {answer && (
        <>
          <dl className="nuvo-References">
            <dt>{trans.__('Review')}</dt>
            <dd>
              <code>{answer.review}</code>
            </dd>
            {delivery.backup && (
              <>
                <dt>{trans.__('Backup')}</dt>
                <dd>
                  <code>{delivery.backup}</code>
                </dd>
              </>
            )}
          </dl>
          <Outcomes outcomes={answer.outcomes} />
        </>
      )}
    </div>
  );
}
