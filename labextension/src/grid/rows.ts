import { DataModel } from '@lumino/datagrid';

import type { ITable } from '../api/types';

/** Rows asked for at once. */
export const PAGE = 200;
const PAGES_KEPT = 40;

type Row = unknown[];

/** A table's rows for a data grid, asked for as they come into view. */
export class RowsModel extends DataModel {
  /**
   * @param first - the first page of rows.
   * @param ask - answers rows from an offset on.
   * @param failed - told what went wrong with asking; nothing is asked for after that.
   */
  constructor(
    private readonly _table: ITable,
    first: Row[],
    private readonly _ask: (offset: number) => Promise<Row[]>,
    private readonly _failed: (error: unknown) => void
  ) {
    super();
    this._pages.set(0, first);
  }

  rowCount(region: DataModel.RowRegion): number {
    // Above the rows, the columns' names and under them their types.
    return region === 'body' ? this._table.rows : 2;
  }

  columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this._table.columns.length : 1;
  }

  data(region: DataModel.CellRegion, row: number, column: number): unknown {
    switch (region) {
      case 'corner-header':
        return '';
      case 'row-header':
        return (row + 1).toLocaleString();
      case 'column-header': {
        const { name, type } = this._table.columns[column];
        return row === 0 ? name : type;
      }
      default:
        return this._value(row, column);
    }
  }

  private _value(row: number, column: number): unknown {
    const page = Math.floor(row / PAGE);
    const rows = this._pages.get(page);
    if (rows === undefined) {
      this._wanted = page;
      this._load();
      return '…';
    }
    return rows[row % PAGE]?.[column] ?? null;
  }

  private _load(): void {
    if (this._loading || this._stopped) {
      return;
    }
    this._loading = true;
    const page = this._wanted;
    this._ask(page * PAGE).then(
      rows => {
        this._loading = false;
        this._keep(page, rows);
        // What is still missing is asked for while this is painted.
        this.emitChanged({
          type: 'cells-changed',
          region: 'body',
          row: page * PAGE,
          column: 0,
          rowSpan: Math.max(rows.length, 1),
          columnSpan: this._table.columns.length
        });
      },
      error => {
        this._loading = false;
        this._stopped = true;
        this._failed(error);
      }
    );
  }

  private _keep(page: number, rows: Row[]): void {
    this._pages.set(page, rows);
    if (this._pages.size > PAGES_KEPT) {
      const [oldest] = this._pages.keys();
      this._pages.delete(oldest);
    }
  }

  private readonly _pages = new Map<number, Row[]>();
  private _wanted = 0;
  private _loading = false;
  private _stopped = false;
}
