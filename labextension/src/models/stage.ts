import { call } from '../api/operations';
import type { IStage, IStagedObject } from '../api/types';
import type { INuvoServer } from '../tokens';
import { Model } from './model';

/** The user's stage: objects of one state, collected for distribution. */
export class StageModel extends Model {
  constructor(private readonly _server: INuvoServer) {
    super();
  }

  stage: IStage = { state: null, objects: [] };

  async refresh(): Promise<void> {
    this._show(await call(this._server, 'get', '/stage', {}));
  }

  /** Whether adding objects of this state would clear what is staged now. */
  wouldClear(state: string): boolean {
    return this.stage.objects.length > 0 && this.stage.state !== state;
  }

  async add(state: string, objects: IStagedObject[]): Promise<void> {
    this._show(await call(this._server, 'post', '/stage', { state, objects }));
  }

  async remove(object: IStagedObject): Promise<void> {
    this._show(await call(this._server, 'post', '/stage/remove', { objects: [object] }));
  }

  async clear(): Promise<void> {
    this._show(await call(this._server, 'delete', '/stage', {}));
  }

  private _show(stage: IStage): void {
    this.stage = stage;
    this.notify();
  }
}
