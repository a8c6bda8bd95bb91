import type { IThemeManager } from '@jupyterlab/apputils';
import { ReactWidget, spreadsheetIcon } from '@jupyterlab/ui-components';
import { type Message, MessageLoop } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';
import type { JSX } from 'react';

import { type IViewContext, ViewContext } from '../components/context';
import { TableHead } from '../components/TableHead';
import { OpenTableModel } from '../models/openTable';
import { colour, makeGrid, showRows } from './grid';
import { PAGE, RowsModel } from './rows';

/** A tab that shows a table of some state in a data grid. */
export class TableTab extends Panel {
  constructor(
    private readonly _context: IViewContext,
    themes: IThemeManager | null,
    state: string,
    name: string
  ) {
    super();
    const { service, trans } = _context;
    this.addClass('nuvo-Table');
    this.title.icon = spreadsheetIcon;
    this.title.label = state.includes('@') ? `${name} @${state.split('@')[1]}` : name;
    this.title.caption = trans.__('Table %1 of %2', name, state);
    this._table = new OpenTableModel(service.server, state, name, PAGE);
    const head = ReactWidget.create(this._head());
    head.addClass('nuvo-Table-head');
    this._grid.addClass('nuvo-Table-grid');
    this._grid.node.setAttribute('aria-hidden', 'true');
    this._grid.hide();
    this.addWidget(head);
    this.addWidget(this._grid);
    this._table.changed.connect(() => this._show(), this);
    themes?.themeChanged.connect(() => this._colour(), this);
    if (!state.includes('@')) {
      service.objects.changed.connect(() => this._again(), this);
    }
    this._again();
  }

  override dispose(): void {
    this._seen.disconnect();
    super.dispose();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._seen.observe(this._grid.node);
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.node.tabIndex = -1;
    this.node.focus();
  }

  private _head(): JSX.Element {
    return (
      <ViewContext.Provider value={this._context}>
        <TableHead table={this._table} />
      </ViewContext.Provider>
    );
  }

  private _show(): void {
    const { shown } = this._table;
    const none = !shown || shown.table.view || shown.table.columns.length === 0;
    if (none || shown === this._before) {
      this._grid.setHidden(none);
      return;
    }
    this._before = shown;
    const rows = new RowsModel(
      shown.table,
      shown.rows,
      offset => this._table.rows(offset),
      error => this._table.failed(error)
    );
    // Out of sight, it does not paint after each step.
    this._grid.hide();
    showRows(this._grid, shown.table, rows);
    this._grid.show();
  }

  private _colour(): void {
    if (this._before) {
      colour(this._grid, this._before.table);
    }
  }

  private _again(): void {
    void this._table.refresh();
  }

  private readonly _grid = makeGrid();
  // The head above it grows and shrinks without a word to the grid.
  private readonly _seen = new ResizeObserver(() =>
    MessageLoop.postMessage(this._grid, Widget.ResizeMessage.UnknownSize)
  );
  private readonly _table: OpenTableModel;
  private _before: OpenTableModel['shown'] = null;
}
