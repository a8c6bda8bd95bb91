import { NuvoError } from '../api/error';
import { call } from '../api/operations';
import type { IInstance, ILocated, ISnapshot, ISpace } from '../api/types';
import type { INuvoServer } from '../tokens';
import { Model } from './model';

const PAGE = 100;

/** The instance that the folder shown in the file browser belongs to, and its snapshots. */
export class StateModel extends Model {
  constructor(private readonly _server: INuvoServer) {
    super();
  }

  /** Absolute folder on the server; `null` where none is shown (another drive, say). */
  folder: string | null = null;
  located: ILocated | null = null;
  instance: IInstance | null = null;
  space: ISpace | null = null;
  snapshots: ISnapshot[] = [];
  /** Whether the instance has snapshots older than those listed. */
  older = false;
  problem: NuvoError | null = null;
  loading = true;

  /** Show another folder's instance. */
  async open(folder: string | null): Promise<void> {
    this.folder = folder;
    await this.refresh();
  }

  /** Ask the server again. An answer that was overtaken by a later question is dropped. */
  async refresh(): Promise<void> {
    const question = ++this._questions;
    const folder = this.folder;
    this.loading = true;
    this.notify();
    let found: Found = { ...NOTHING };
    try {
      found = folder === null ? found : await this._find(folder);
    } catch (error) {
      found.problem = NuvoError.of(error);
    }
    if (question !== this._questions) {
      return;
    }
    Object.assign(this, found);
    this.loading = false;
    this.notify();
  }

  /** List further snapshots, older than the last one listed. */
  async showOlder(): Promise<void> {
    const question = ++this._questions;
    const last = this.snapshots.at(-1);
    if (!this.instance || !last) {
      return;
    }
    const page = await call(this._server, 'get', '/snapshots', {
      instance: this.instance.reference,
      limit: PAGE,
      before: last.number
    });
    if (question === this._questions) {
      this.snapshots = [...this.snapshots, ...page];
      this.older = page.length === PAGE;
      this.notify();
    }
  }

  /** The path inside the instance of something in the folder shown. */
  pathOf(name: string): string {
    const within = this.located?.path ?? '';
    return within && within !== '.' ? `${within}/${name}` : name;
  }

  /** Whether the caller may do what needs this right in the instance shown. */
  may(right: string): boolean {
    return this.instance?.rights.includes(right) ?? false;
  }

  private async _find(folder: string): Promise<Found> {
    const located = await call(this._server, 'get', '/locate', { folder });
    if (located.instance === null) {
      return { ...NOTHING, located };
    }
    const reference = located.instance;
    const instance = await call(this._server, 'get', '/instance', { instance: reference });
    const [space, snapshots] = await Promise.all([
      call(this._server, 'get', '/space', { space: instance.space }).catch(() => null),
      instance.rights.includes('instance viewer')
        ? call(this._server, 'get', '/snapshots', { instance: reference, limit: PAGE })
        : Promise.resolve([])
    ]);
    const older = snapshots.length === PAGE;
    return { located, instance, space, snapshots, older, problem: null };
  }

  private _questions = 0;
}

type Found = Pick<StateModel, 'located' | 'instance' | 'space' | 'snapshots' | 'older' | 'problem'>;

const NOTHING: Found = {
  located: null,
  instance: null,
  space: null,
  snapshots: [],
  older: false,
  problem: null
};
