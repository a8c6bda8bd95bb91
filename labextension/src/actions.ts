import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { NuvoError } from './api/error';
import { ApplicationActions } from './applicationActions';
import { call } from './api/operations';
import { askCollect, askForget } from './api/reports';
import type { IRetention, ISnapshot, IStagedObject, ITask } from './api/types';
import { askConfirm, askForm } from './dialogs/form';
import { collectForm, forgetForm, ruleForm } from './dialogs/growthForms';
import type { IViewContext } from './components/context';
import { CrateActions } from './crateActions';
import { attempt, reportProblem } from './dialogs/report';
import { renameForm, type SnapshotWords, snapshotForm } from './dialogs/snapshotForm';
import { restoreForm } from './dialogs/restoreForm';
import { pathText, snapshotTitle } from './formats';
import { TableActions } from './tableActions';
import type { INuvoService, ISnapshotWords } from './tokens';

/** What users set off from the panel, the menus and the palette: asks back, acts, and tells how it went. */
export class Actions {
  constructor(
    readonly service: INuvoService,
    readonly trans: TranslationBundle
  ) {
    service.tasks.finished.connect((_, task) => {
      if (this._mine.delete(task.id)) {
        this.tell(task);
      }
    });
  }

  /** What views inside dialogs can reach, once there is a panel. */
  views: IViewContext | null = null;

  readonly tables = new TableActions(this);
  readonly applications = new ApplicationActions(this);
  readonly crates = new CrateActions(this);

  async takeSnapshot(words: ISnapshotWords = {}): Promise<void> {
    await this._try(() => this._confirmedSnapshot(words, false));
  }

  async describeSnapshot(): Promise<void> {
    const { trans } = this;
    const state = this.service.state.instance?.state_description ?? '';
    const words = await askForm<SnapshotWords>(
      {
        title: trans.__('Take a snapshot'),
        accept: trans.__('Take snapshot'),
        initial: { name: '', description: state, next_description: '', final: false },
        form: snapshotForm(trans)
      },
      trans
    );
    if (words) {
      const { name, next_description, ...rest } = words;
      await this.takeSnapshot({
        ...rest,
        // Left empty they mean: no name, and no word on what comes next.
        ...(name.trim() && { name: name.trim() }),
        ...(next_description.trim() && { next_description })
      });
    }
  }

  async restore(snapshot: ISnapshot, paths: string[]): Promise<void> {
    const { trans } = this;
    const from = snapshotTitle(snapshot, trans);
    const body = paths.length
      ? trans.__(
          'The current version of “%1” is replaced by the one in “%2”. A backup snapshot of the current state is taken first.',
          paths.join(', '),
          from
        )
      : trans.__(
          'The current state becomes exactly what “%1” holds: files are replaced, and files that are not in it are deleted. A backup snapshot of the current state is taken first.',
          from
        );
    const title = paths.length ? trans.__('Restore this?') : trans.__('Restore everything?');
    const form = restoreForm(this.views, body, snapshot, paths);
    const accept = trans.__('Restore');
    if (await askForm({ title, accept, initial: { sure: true }, form, warn: true }, trans)) {
      await this.start(() => this.service.restore(snapshot, paths));
    }
  }

  async rename(snapshot: ISnapshot): Promise<void> {
    const { trans } = this;
    const words = await askForm(
      {
        title: trans.__('Rename or describe the snapshot'),
        accept: trans.__('Save'),
        initial: { name: snapshot.name ?? '', description: snapshot.description },
        form: renameForm(trans)
      },
      trans
    );
    if (words) {
      await this._try(() => this.service.updateSnapshot(snapshot, words));
    }
  }

  async delete(snapshot: ISnapshot): Promise<void> {
    const { trans } = this;
    const name = snapshotTitle(snapshot, trans);
    const body = trans.__(
      '“%1” disappears from the timeline. It can be recovered for 24 hours. Files of the current state are not touched.',
      name
    );
    const title = trans.__('Delete this snapshot?');
    if (await askConfirm({ title, body, accept: trans.__('Delete'), warn: true }, trans)) {
      await this._try(async () => {
        await this.service.deleteSnapshot(snapshot);
        Notification.info(trans.__('“%1” was deleted.', name), {
          autoClose: 10_000,
          actions: [
            {
              label: trans.__('Undo'),
              callback: () => void this._try(() => this.service.recoverSnapshot(snapshot))
            }
          ]
        });
      });
    }
  }

  /** Stage files or folders of the folder shown, by their names in it. */
  async stage(names: string[]): Promise<void> {
    const { state } = this.service;
    await this.stageObjects(
      names.map(name => ({ path: state.pathOf(pathText(name)), kind: 'file' }))
    );
  }

  /** Stage objects of the current state. */
  async stageObjects(objects: IStagedObject[]): Promise<void> {
    const { trans } = this;
    const { state, stage } = this.service;
    const reference = state.instance?.reference;
    if (!reference) {
      const message = trans.__('This folder has no snapshot yet, so nothing in it can be staged.');
      const hint = trans.__('Take its first snapshot from the Nuvo panel.');
      reportProblem({ code: 'not_found', message, hint }, trans);
      return;
    }
    const count = stage.stage.objects.length;
    const body = trans._n(
      'A stage holds objects of one state only. %1 object of %2 will be taken off it.',
      'A stage holds objects of one state only. %1 objects of %2 will be taken off it.',
      count,
      stage.stage.state ?? ''
    );
    const title = trans.__('Clear your stage?');
    const accept = trans.__('Clear and stage');
    if (stage.wouldClear(reference) && !(await askConfirm({ title, body, accept }, trans))) {
      return;
    }
    await this._try(() => stage.add(reference, objects));
  }

  async retry(distribution: number): Promise<void> {
    await this.start(() => this.service.retry(distribution));
  }

  /** Change a space's rule of which snapshots are kept. */
  async changeRule(rule: IRetention): Promise<void> {
    const { trans } = this;
    const title = trans.__('Which snapshots does %1 keep?', rule.space);
    const form = ruleForm(trans);
    const keep = await askForm(
      { title, accept: trans.__('Save'), initial: rule.keep, form },
      trans
    );
    if (keep) {
      const request = { ...keep, space: rule.space };
      await this._try(() => call(this.service.server, 'post', '/retention', request));
    }
  }

  /** Show what a space's rule would delete, and delete it if that is wanted. */
  async forget(space: string): Promise<void> {
    const { trans, service } = this;
    const report = await this._try(() => askForget(service.server, space));
    if (!report) {
      return;
    }
    const title = trans.__('Thin out the snapshots of %1?', space);
    const accept = report.forgotten ? trans.__('Delete') : trans.__('Close');
    const form = forgetForm(report, trans);
    const wanted = await askForm({ title, accept, initial: { sure: true }, form }, trans);
    if (wanted && report.forgotten) {
      await this.start(() => this.begun(call(service.server, 'post', '/forget', { space })));
      await service.state.refresh();
    }
  }

  /** Show what collecting would free, and do it if that is wanted. */
  async collect(): Promise<void> {
    const { trans, service } = this;
    const report = await this._try(() => askCollect(service.server, true));
    if (!report) {
      return;
    }
    const title = trans.__('Free space in the store?');
    const form = collectForm(report, trans);
    const wanted = await askForm(
      { title, accept: trans.__('Free'), initial: { now: false }, form },
      trans
    );
    if (wanted) {
      await this.start(() => this.begun(call(service.server, 'post', '/collect', wanted)));
    }
  }

  /** A task that was just asked for, shown among the others from now on. */
  async begun(asked: Promise<ITask>): Promise<ITask> {
    const task = await asked;
    void this.service.tasks.refresh();
    return task;
  }

  async cancel(task: ITask): Promise<void> {
    await this._try(() => this.service.tasks.cancel(task));
  }

  /** Start a task for the user; its end is told by a notification. */
  async start(work: () => Promise<ITask>): Promise<void> {
    const task = await this._try(work);
    if (task) {
      this._mine.add(task.id);
    }
  }

  private async _confirmedSnapshot(words: ISnapshotWords, confirmed: boolean): Promise<void> {
    const { trans } = this;
    try {
      const task = await this.service.takeSnapshot(words, confirmed);
      this._mine.add(task.id);
    } catch (error) {
      const problem = NuvoError.of(error);
      if (problem.code !== 'confirmation_needed') {
        throw problem;
      }
      const title = trans.__('Take a snapshot of all this?');
      const accept = trans.__('Take snapshot');
      if (await askConfirm({ title, body: problem.message, accept }, trans)) {
        await this._confirmedSnapshot(words, true);
      }
    }
  }

  /** Say how a task ended. */
  tell(task: ITask): void {
    const { trans } = this;
    if (task.problem) {
      reportProblem(task.problem, trans);
    } else if (task.state === 'cancelled') {
      Notification.info(trans.__('Cancelled: %1', task.title), { autoClose: 5000 });
    } else {
      Notification.success(trans.__('Done: %1', task.title), { autoClose: 5000 });
    }
  }

  private _try<T>(work: () => Promise<T>): Promise<T | undefined> {
    return attempt(work, this.trans);
  }

  private readonly _mine = new Set<number>();
}
