import { Button } from '@jupyterlab/ui-components';
import { type JSX, useId, useState } from 'react';

import { call } from '../api/operations';
import { askUsage } from '../api/reports';
import type { IInstance } from '../api/types';
import { attempt } from '../dialogs/report';
import { spaceOf } from '../formats';
import { useAsked, useModel, useNuvo } from './context';
import { PathUsage } from './PathUsage';
import { Problem } from './Problem';
import { Section } from './Section';
import { UsageChart } from './UsageChart';

/** What grows: who needs how much, which snapshots are kept, when they are taken, and freeing space. */
export function Storage(): JSX.Element | null {
  const { service, trans } = useNuvo();
  const state = useModel(service.state);
  const { instance } = state;
  const editor = state.may('instance editor');
  if (!instance || !(editor || state.may('space admin'))) {
    return null;
  }
  return (
    <Section title={trans.__('Storage')} folded>
      {state.may('space admin') && <Usage key={instance.reference} instance={instance} />}
      {editor && instance.kind !== 'distributed' && (
        <Clock key={`clock ${instance.reference}`} instance={instance} />
      )}
      {state.may('space admin') && <Rule instance={instance} />}
      {state.may('organization manager') && <Free />}
    </Section>
  );
}

function Usage({ instance }: { instance: IInstance }): JSX.Element {
  const { service, trans } = useNuvo();
  const { snapshots } = useModel(service.state);
  const newest = snapshots[0]?.reference ?? '';
  const changes = `${instance.reference} ${newest} ${snapshots.length}`;
  const { answer, problem } = useAsked(() => askUsage(service.server, instance.reference), changes);
  if (problem) {
    return <Problem problem={problem} />;
  }
  return answer ? (
    <>
      <UsageChart usage={answer} />
      <PathUsage instance={instance.reference} changes={changes} />
    </>
  ) : (
    <p className="nuvo-Muted" role="status">
      {trans.__('Measuring…')}
    </p>
  );
}

const MINUTES = [0, 10, 30, 60, 240, 1440];

function Clock({ instance }: { instance: IInstance }): JSX.Element {
  const { service, trans } = useNuvo();
  const id = useId();
  const [changes, setChanges] = useState(0);
  const { reference } = instance;
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/schedule', { instance: reference }),
    `${reference} ${changes}`
  );
  const set = async (minutes: number): Promise<void> => {
    const request = { instance: reference, minutes };
    await attempt(() => call(service.server, 'post', '/schedule', request), trans);
    setChanges(changes + 1);
  };
  const minutes = answer?.minutes ?? 0;
  const choices = [...new Set([...MINUTES, minutes])].sort((a, b) => a - b);
  const words = (count: number): string => {
    if (!count) {
      return trans.__('never');
    }
    return count % 60
      ? trans._n('every %1 minute', 'every %1 minutes', count)
      : trans._n('every hour', 'every %1 hours', count / 60);
  };
  return (
    <div className="nuvo-Field">
      {problem && <Problem problem={problem} />}
      <label htmlFor={id}>{trans.__('Snapshot if something has changed')}</label>
      <select
        id={id}
        value={minutes}
        disabled={!answer}
        onChange={event => void set(Number(event.target.value))}
      >
        {choices.map(count => (
          <option key={count} value={count}>
            {words(count)}
          </option>
        ))}
      </select>
    </div>
  );
}

function Rule({ instance }: { instance: IInstance }): JSX.Element {
  const { actions, service, trans } = useNuvo();
  const [changes, setChanges] = useState(0);
  const space = spaceOf(instance.reference);
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/retention', { space }),
    `${space} ${changes}`
  );
  return (
    <div className="nuvo-Field">
      {problem && <Problem problem={problem} />}
      {answer && (
        <p>
          {answer.space} {answer.text}.
        </p>
      )}
      <div className="nuvo-Buttons">
        <Button
          className="jp-mod-styled"
          disabled={!answer}
          onClick={() =>
            answer && void actions.changeRule(answer).then(() => setChanges(changes + 1))
          }
        >
          {trans.__('Change rule…')}
        </Button>
        <Button className="jp-mod-styled" onClick={() => void actions.forget(space)}>
          {trans.__('Thin out…')}
        </Button>
      </div>
    </div>
  );
}

function Free(): JSX.Element {
  const { actions, trans } = useNuvo();
  return (
    <div className="nuvo-Buttons">
      <Button className="jp-mod-styled" onClick={() => void actions.collect()}>
        {trans.__('Free space…')}
      </Button>
    </div>
  );
}
