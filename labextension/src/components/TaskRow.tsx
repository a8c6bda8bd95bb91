import {
  checkIcon,
  circleEmptyIcon,
  errorIcon,
  runningIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import { type JSX, useId } from 'react';

import type { ITask, TaskState } from '../api/types';
import { ago } from '../formats';
import { isFinished } from '../models/tasks';
import { taskStateWord } from '../words';
import { useNuvo } from './context';
import { DistributionResult } from './DistributionResult';
import { Problem } from './Problem';
import { Disclosure } from './Section';

const STATE_ICONS: Record<TaskState, typeof checkIcon> = {
  waiting: circleEmptyIcon,
  queued: circleEmptyIcon,
  running: runningIcon,
  done: checkIcon,
  failed: errorIcon,
  cancelled: stopIcon
};

/** One task: where it stands, and opened, what came of it. */
export function TaskRow({ task, now }: { task: ITask; now: number }): JSX.Element {
  const { actions, trans } = useNuvo();
  const word = taskStateWord(task.state, trans);
  const StateIcon = STATE_ICONS[task.state];
  const finished = isFinished(task.state);
  const head = (
    <>
      <StateIcon.react tag="span" className="nuvo-Icon" title={word} />
      <span className="nuvo-Row-text">
        <span className="nuvo-Row-title" title={task.title}>
          {task.title}
        </span>
        <span className="nuvo-Row-sub" data-state={task.state}>
          {word}
          {!finished && task.step ? ` · ${task.step}` : ''}
          {' · '}
          {ago(task.finished_at ?? task.created_at, now)}
        </span>
      </span>
    </>
  );
  const cancel = trans.__('Cancel %1', task.title);
  const aside = !finished && (
    <button
      className="nuvo-IconButton"
      aria-label={cancel}
      title={cancel}
      onClick={() => void actions.cancel(task)}
    >
      <stopIcon.react tag="span" className="nuvo-Icon" />
    </button>
  );
  return (
    <>
      <Disclosure className="nuvo-Row" head={head} aside={aside}>
        {() => <TaskResult task={task} />}
      </Disclosure>
      {!finished && <Progress task={task} />}
    </>
  );
}

/** A bar with the same figures as text; without a known end the bar only says that something moves. */
export function Progress({ task }: { task: ITask }): JSX.Element {
  const { trans } = useNuvo();
  const id = useId();
  const known = task.total > 0;
  return (
    <div className="nuvo-Progress">
      <progress
        aria-label={task.title}
        aria-describedby={id}
        {...(known ? { value: task.done, max: task.total } : {})}
      />
      <span id={id} className="nuvo-Muted">
        {known ? trans.__('%1 of %2', task.done, task.total) : ''}
      </span>
    </div>
  );
}

function TaskResult({ task }: { task: ITask }): JSX.Element {
  const { trans } = useNuvo();
  return (
    <div className="nuvo-Row-body">
      {task.problem && <Problem problem={task.problem} />}
      {task.snapshot && <p>{trans.__('Made the snapshot %1.', task.snapshot)}</p>}
      {task.distribution !== null && <DistributionResult id={task.distribution} task={task} />}
      {!task.problem && !task.snapshot && task.distribution === null && (
        <p className="nuvo-Muted">{trans.__('Started by %1', task.created_by)}</p>
      )}
    </div>
  );
}
