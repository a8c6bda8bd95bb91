import { Button } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import { call } from '../api/operations';
import type { IDistribution, ITask } from '../api/types';
import { isFinished } from '../models/tasks';
import { taskStateWord } from '../words';
import { useAsked, useModel, useNuvo } from './context';
import { Counts } from './Counts';
import { DeliveryResult } from './DeliveryResult';
import { Problem } from './Problem';
import { Disclosure } from './Section';
import { Progress } from './TaskRow';

/** A distribution's deliveries, live while they run. */
export function DistributionResult(props: { id: number; task: ITask }): JSX.Element {
  const { service, trans } = useNuvo();
  const { version } = useModel(service.tasks);
  const live = isFinished(props.task.state) ? props.task.state : version;
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/distributions/{id}', { id: props.id }),
    `${props.id} ${live}`
  );
  if (problem) {
    return <Problem problem={problem} />;
  }
  if (!answer) {
    return <p className="nuvo-Muted">{trans.__('Loading…')}</p>;
  }
  return <Deliveries distribution={answer} />;
}

function Deliveries({ distribution }: { distribution: IDistribution }): JSX.Element {
  const { actions, trans } = useNuvo();
  const { deliveries } = distribution;
  const again = deliveries.filter(one => one.state === 'failed' || one.state === 'cancelled');
  return (
    <>
      {distribution.message && <p className="nuvo-Prose">{distribution.message}</p>}
      {distribution.source && (
        <p className="nuvo-Muted">{trans.__('From %1', distribution.source)}</p>
      )}
      <p role="status">
        {trans.__(
          '%1 of %2 deliveries finished',
          deliveries.filter(one => isFinished(one.state)).length,
          deliveries.length
        )}
      </p>
      {again.length > 0 && isFinished(distribution.task.state) && (
        <div className="nuvo-Buttons">
          <Button className="jp-mod-styled" onClick={() => void actions.retry(distribution.id)}>
            {trans._n('Retry %1 target', 'Retry %1 targets', again.length)}
          </Button>
        </div>
      )}
      <ul className="nuvo-List" aria-label={trans.__('Deliveries')}>
        {deliveries.map(delivery => (
          <li key={delivery.id}>
            <DeliveryRow delivery={delivery} />
          </li>
        ))}
      </ul>
    </>
  );
}

function DeliveryRow({ delivery }: { delivery: ITask }): JSX.Element {
  const { trans } = useNuvo();
  const finished = isFinished(delivery.state);
  const head = (
    <span className="nuvo-Row-text">
      <span className="nuvo-Row-title" title={delivery.instance ?? delivery.title}>
        {nameOf(delivery)}
      </span>
      <span className="nuvo-Row-line">
        <span className="nuvo-Row-sub" data-state={delivery.state}>
          {taskStateWord(delivery.state, trans)}
          {!finished && delivery.step ? ` · ${delivery.step}` : ''}
        </span>
        <Counts counts={delivery.counts} />
      </span>
    </span>
  );
  return (
    <>
      <Disclosure className="nuvo-Row" head={head}>
        {() => (finished ? <DeliveryResult delivery={delivery} /> : <Progress task={delivery} />)}
      </Disclosure>
      {delivery.state === 'running' && <Progress task={delivery} />}
    </>
  );
}

/** The target's name; its space is the same for all. */
function nameOf(delivery: ITask): string {
  return delivery.instance?.split('/').pop() ?? delivery.title;
}
