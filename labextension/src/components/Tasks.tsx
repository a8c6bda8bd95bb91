import type { JSX } from 'react';

import { useModel, useNow, useNuvo } from './context';
import { Problem } from './Problem';
import { Section } from './Section';
import { TaskRow } from './TaskRow';

/** What runs in the background and what ran lately. */
export function Tasks(): JSX.Element {
  const { service, trans } = useNuvo();
  const { tasks, active, problem } = useModel(service.tasks);
  const now = useNow();
  return (
    <Section title={trans.__('Tasks')} count={active.length}>
      {problem && <Problem problem={problem} />}
      {tasks.length === 0 && !problem && (
        <p className="nuvo-Muted">{trans.__('Nothing has run yet.')}</p>
      )}
      <ol className="nuvo-List" aria-label={trans.__('Tasks, newest first')}>
        {tasks.map(task => (
          <li key={task.id}>
            <TaskRow task={task} now={now} />
          </li>
        ))}
      </ol>
    </Section>
  );
}
