import { call } from './api/operations';
import { askOnlyTarget } from './api/reports';
import type { ISnapshot, ITargetPreview, ITask } from './api/types';
import { ObjectsModel } from './models/objects';
import { StageModel } from './models/stage';
import { StateModel } from './models/state';
import { TasksModel } from './models/tasks';
import type { IDistributeRequest, INuvoServer, INuvoService, ISnapshotWords } from './tokens';
import type { Upload } from './upload';

/** The one object through which views read and change things. */
export class NuvoService implements INuvoService {
  constructor(
    readonly server: INuvoServer,
    readonly upload: Upload | null = null
  ) {
    this.state = new StateModel(server);
    this.stage = new StageModel(server);
    this.tasks = new TasksModel(server);
    this.tasks.finished.connect((_, task) => {
      const shown = this.state.instance?.reference;
      // A distribution may have made a snapshot of its source; a first snapshot makes the instance.
      if (!shown || task.instance === shown || task.kind === 'distribution') {
        void this.state.refresh();
      }
      this.objects.refresh();
    });
  }

  readonly state: StateModel;
  readonly stage: StageModel;
  readonly tasks: TasksModel;
  readonly objects = new ObjectsModel();
  readonly preparations: (() => Promise<unknown>)[] = [];

  async refresh(): Promise<void> {
    this.objects.refresh();
    await Promise.all([this.state.refresh(), this.stage.refresh(), this.tasks.refresh()]);
  }

  async takeSnapshot(words: ISnapshotWords, confirmed = false): Promise<ITask> {
    await this._prepare();
    const { instance, folder } = this.state;
    const where = instance ? { instance: instance.reference } : { folder: folder ?? '' };
    return this._started(
      call(this.server, 'post', '/snapshots', { ...where, ...words, confirmed })
    );
  }

  async restore(snapshot: ISnapshot, paths: string[]): Promise<ITask> {
    await this._prepare();
    return this._started(
      call(this.server, 'post', '/restore', { source: snapshot.reference, paths })
    );
  }

  async previewRestore(snapshot: ISnapshot, paths: string[]): Promise<ITargetPreview> {
    await this._prepare();
    const request = { source: snapshot.reference, paths };
    const task = await call(this.server, 'post', '/restore/preview', request);
    return askOnlyTarget(this.server, task);
  }

  async updateSnapshot(
    snapshot: ISnapshot,
    words: Pick<ISnapshotWords, 'name' | 'description'>
  ): Promise<void> {
    await call(this.server, 'patch', '/snapshot', { state: snapshot.reference, ...words });
    await this.state.refresh();
  }

  async deleteSnapshot(snapshot: ISnapshot): Promise<void> {
    await call(this.server, 'delete', '/snapshot', { state: snapshot.reference });
    await this.state.refresh();
  }

  async recoverSnapshot(snapshot: ISnapshot): Promise<void> {
    await call(this.server, 'post', '/snapshot/recover', { state: snapshot.reference });
    await this.state.refresh();
  }

  async distribute(request: IDistributeRequest, preview: boolean): Promise<ITask> {
    await this._prepare();
    const { onlyFiles, strategies, ...rest } = request;
    const key = strategies.key.filter(column => column.trim());
    const path = preview ? '/distributions/preview' : '/distributions';
    const asked = { ...rest, only_files: onlyFiles, strategies: { ...strategies, key } };
    return this._started(call(this.server, 'post', path, asked));
  }

  retry(distribution: number): Promise<ITask> {
    return this._started(
      call(this.server, 'post', '/distributions/{id}/retry', { id: distribution })
    );
  }

  private async _prepare(): Promise<void> {
    await Promise.allSettled(this.preparations.map(prepare => prepare()));
  }

  private async _started(asked: Promise<ITask>): Promise<ITask> {
    const task = await asked;
    void this.tasks.refresh();
    return task;
  }
}
