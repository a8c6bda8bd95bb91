import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { type JSX, useEffect, useRef, useState } from 'react';

import { NuvoError } from '../api/error';
import { call } from '../api/operations';
import type { IPreview, ITask } from '../api/types';
import { askConfirm } from '../dialogs/form';
import { nuvoIcon } from '../icons';
import { isFinished } from '../models/tasks';
import type { IDistributeRequest } from '../tokens';
import { type IViewContext, useModel, useNuvo, ViewContext } from './context';
import { DistributeForm } from './DistributeForm';
import { DistributionResult } from './DistributionResult';
import { PreviewTable } from './PreviewTable';
import { Problem } from './Problem';
import { Progress } from './TaskRow';

const WAIT_SECONDS = 5;
const TARGETS_AT_ONCE = 500;

/** The tab in which a distribution is set up, previewed, started and watched. */
export class DistributeView extends ReactWidget {
  constructor(private readonly _context: IViewContext) {
    super();
    const { trans } = _context;
    this.id = 'nuvo-distribute';
    this.title.icon = nuvoIcon;
    this.title.label = trans.__('Distribute');
    this.title.closable = true;
    this.addClass('nuvo-Distribute');
  }

  protected render(): JSX.Element {
    return (
      <ViewContext.Provider value={this._context}>
        <Distribute />
      </ViewContext.Provider>
    );
  }
}

type Shown =
  | { kind: 'nothing' }
  | { kind: 'asking'; task: ITask | null }
  | { kind: 'preview'; preview: IPreview }
  | { kind: 'started'; task: ITask }
  | { kind: 'problem'; problem: NuvoError };

function Distribute(): JSX.Element {
  const { service, trans } = useNuvo();
  const [shown, setShown] = useState<Shown>({ kind: 'nothing' });
  // Only the newest question may show its answer.
  const asked = useRef(0);
  useEffect(
    () => () => {
      asked.current = -1;
    },
    []
  );
  const run = async (request: IDistributeRequest, preview: boolean) => {
    const question = ++asked.current;
    const show = (next: Shown) => question === asked.current && setShown(next);
    show({ kind: 'asking', task: null });
    try {
      let task = await service.distribute(request, preview);
      if (!preview) {
        show({ kind: 'started', task });
        return;
      }
      while (question === asked.current) {
        const answer = await call(service.server, 'get', '/previews/{id}', {
          id: task.id,
          objects: 0,
          wait: WAIT_SECONDS
        });
        task = answer.task;
        if (isFinished(task.state)) {
          const targets = [...answer.targets];
          while (question === asked.current && targets.length < answer.total) {
            const page = await call(service.server, 'get', '/previews/{id}', {
              id: task.id,
              objects: 0,
              after: targets.length,
              limit: TARGETS_AT_ONCE
            });
            if (page.targets.length === 0) {
              break;
            }
            targets.push(...page.targets);
          }
          show({ kind: 'preview', preview: { ...answer, targets } });
          return;
        }
        show({ kind: 'asking', task });
      }
    } catch (error) {
      show({ kind: 'problem', problem: NuvoError.of(error) });
    }
  };
  const sure = async (request: IDistributeRequest) => {
    if (await confirmed(request, trans)) {
      await run(request, false);
    }
  };
  return (
    <div className="nuvo-Distribute-columns" role="region" aria-label={trans.__('Distribution')}>
      <div>
        <h1>{trans.__('Distribute')}</h1>
        <DistributeForm
          busy={shown.kind === 'asking'}
          // A preview of other settings would mislead.
          onChange={() => shown.kind !== 'started' && setShown({ kind: 'nothing' })}
          onPreview={request => void run(request, true)}
          onDistribute={request => void sure(request)}
        />
      </div>
      <div aria-live="polite">
        <Result shown={shown} />
      </div>
    </div>
  );
}

/** What deletes files of others is asked back for. */
async function confirmed(request: IDistributeRequest, trans: TranslationBundle): Promise<boolean> {
  const { application, file, table } = request.strategies;
  if (![file, table, application].includes('replace')) {
    return true;
  }
  const body = request.whole
    ? trans.__(
        'Every target becomes exactly like the source: files that only a target has are deleted there. Each target is backed up by a snapshot first.'
      )
    : trans.__(
        'Inside the staged folders, files that only a target has are deleted there. Each target is backed up by a snapshot first.'
      );
  return askConfirm(
    {
      title: trans.__('Replace at the targets?'),
      body,
      accept: trans.__('Distribute'),
      warn: true
    },
    trans
  );
}

function Result({ shown }: { shown: Shown }): JSX.Element {
  const { trans } = useNuvo();
  switch (shown.kind) {
    case 'nothing':
      return (
        <p className="nuvo-Muted">
          {trans.__(
            'A preview shows what would happen to each target, without changing anything. Every target is backed up by a snapshot before it is changed.'
          )}
        </p>
      );
    case 'asking':
      return shown.task ? (
        <Progress task={shown.task} />
      ) : (
        <p className="nuvo-Muted">{trans.__('Asking…')}</p>
      );
    case 'problem':
      return <Problem problem={shown.problem} />;
    case 'preview':
      return shown.preview.task.problem ? (
        <Problem problem={shown.preview.task.problem} />
      ) : (
        <>
          <h2>{trans.__('Preview')}</h2>
          <PreviewTable preview={shown.preview} />
        </>
      );
    case 'started':
      return <Started task={shown.task} />;
  }
}

/** A distribution on its way. */
function Started(props: { task: ITask }): JSX.Element {
  const { service, trans } = useNuvo();
  const { tasks } = useModel(service.tasks);
  const task = tasks.find(one => one.id === props.task.id) ?? props.task;
  return (
    <>
      <h2>{isFinished(task.state) ? trans.__('Distributed') : trans.__('Distributing…')}</h2>
      {task.problem && <Problem problem={task.problem} />}
      {!isFinished(task.state) && <Progress task={task} />}
      {task.distribution !== null && <DistributionResult id={task.distribution} task={task} />}
    </>
  );
}
