import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import { NuvoError } from '../api/error';
import { call } from '../api/operations';
import type { ITask, TaskState } from '../api/types';
import type { INuvoServer } from '../tokens';
import { Model } from './model';

const POLL_MILLISECONDS = 2000;
const SHOWN = 30;

/** Whether nothing more will happen with a task in this state. */
export function isFinished(state: TaskState): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

/**
 * The newest tasks, kept up to date while any of them is active.
 *
 * The server's events only say that something may have changed: they are not replayed after a lost
 * connection and anybody logged in could send them. What is shown is always asked for.
 */
export class TasksModel extends Model {
  constructor(private readonly _server: INuvoServer) {
    super();
    this._poll = new Poll({
      name: 'nuvo-jupyter:tasks',
      auto: false,
      factory: () => this.refresh(),
      frequency: { interval: POLL_MILLISECONDS, backoff: true, max: 30_000 },
      standby: 'when-hidden'
    });
  }

  tasks: ITask[] = [];
  problem: NuvoError | null = null;

  /** Emitted once for each task that finishes while this page is open. */
  get finished(): ISignal<this, ITask> {
    return this._finished;
  }

  get active(): ITask[] {
    return this.tasks.filter(task => !isFinished(task.state));
  }

  /** Ask the server again, and go on asking as long as anything is active. */
  refresh(): Promise<void> {
    // What happened after a running question was answered would be missed: ask once more.
    this._again = true;
    this._loading ??= this._loadUntilFresh().finally(() => {
      this._loading = null;
    });
    return this._loading;
  }

  async cancel(task: ITask): Promise<void> {
    await call(this._server, 'post', '/tasks/{id}/cancel', { id: task.id });
    await this.refresh();
  }

  private async _loadUntilFresh(): Promise<void> {
    while (this._again) {
      this._again = false;
      try {
        await this._load();
        this.problem = null;
      } catch (error) {
        this.problem = NuvoError.of(error);
      }
      this.notify();
    }
  }

  private async _load(): Promise<void> {
    const all = await call(this._server, 'get', '/tasks', { limit: 500 });
    const ended = all.filter(task => this._justFinished(task));
    this._newest = Math.max(this._newest ?? 0, ...all.map(task => task.id));
    this._states = new Map(all.map(task => [task.id, task.state]));
    // A distribution's row shows its deliveries; a preview or measurement is shown where it was asked for.
    this.tasks = all
      .filter(task => task.parent === null && task.kind !== 'preview' && task.kind !== 'usage')
      .slice(0, SHOWN);
    this._keepAsking(all.some(task => !isFinished(task.state)));
    ended.forEach(task => this._finished.emit(task));
  }

  private _keepAsking(active: boolean): void {
    const asking = this._poll.state.phase !== 'constructed' && this._poll.state.phase !== 'stopped';
    if (active && !asking) {
      void this._poll.start();
    } else if (!active && asking) {
      void this._poll.stop();
    }
  }

  private _justFinished(task: ITask): boolean {
    if (!isFinished(task.state) || this._newest === null) {
      return false;
    }
    const before = this._states.get(task.id);
    return before === undefined ? task.id > this._newest : !isFinished(before);
  }

  private readonly _poll: Poll;
  private readonly _finished = new Signal<this, ITask>(this);
  private _loading: Promise<void> | null = null;
  private _again = false;
  private _states = new Map<number, TaskState>();
  private _newest: number | null = null;
}
