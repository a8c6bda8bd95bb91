import { NuvoError } from '../api/error';
import { call } from '../api/operations';
import type { ITableRows } from '../api/types';
import type { INuvoServer } from '../tokens';
import { Model } from './model';

/** A table that is looked at: what it is and its first rows. */
export class OpenTableModel extends Model {
  /**
   * @param state - reference of the state it is of.
   * @param name - of the table.
   * @param page - how many rows are asked for at once.
   */
  constructor(
    private readonly _server: INuvoServer,
    readonly state: string,
    readonly name: string,
    private readonly _page: number
  ) {
    super();
  }

  shown: ITableRows | null = null;
  problem: NuvoError | null = null;

  async refresh(): Promise<void> {
    const question = ++this._questions;
    try {
      const shown = await this._ask(0);
      if (question === this._questions) {
        this.shown = shown;
        this.problem = null;
      }
    } catch (error) {
      if (question === this._questions) {
        this.problem = NuvoError.of(error);
      }
    }
    this.notify();
  }

  /** Rows from an offset on. */
  async rows(offset: number): Promise<unknown[][]> {
    return (await this._ask(offset)).rows;
  }

  failed(error: unknown): void {
    this.problem = NuvoError.of(error);
    this.notify();
  }

  private _ask(offset: number): Promise<ITableRows> {
    const { name: table, state } = this;
    return call(this._server, 'get', '/table', { state, table, offset, limit: this._page });
  }

  private _questions = 0;
}
