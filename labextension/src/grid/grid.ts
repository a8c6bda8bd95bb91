import {
  BasicKeyHandler,
  BasicMouseHandler,
  BasicSelectionModel,
  type CellRenderer,
  DataGrid,
  TextRenderer
} from '@lumino/datagrid';

import type { ITable } from '../api/types';
import type { RowsModel } from './rows';
import { isNumeric, valueText } from './values';

const SIZES = { rowHeight: 24, columnWidth: 120, rowHeaderWidth: 64, columnHeaderHeight: 24 };
const LETTER = 7.5;
const MARGIN = 24;
const WIDEST = 320;
const ROWS_MEASURED = 50;
const COLUMNS_MEASURED = 200;

/** A data grid as JupyterLab shows CSV files, in the colours of the theme. */
export function makeGrid(): DataGrid {
  const grid = new DataGrid({ defaultSizes: SIZES, headerVisibility: 'all' });
  grid.keyHandler = new BasicKeyHandler();
  grid.mouseHandler = new BasicMouseHandler();
  grid.copyConfig = {
    separator: '\t',
    format: ({ value }) => valueText(value),
    headers: 'column',
    warningThreshold: 1e6
  };
  return grid;
}

/** Show a table's rows; the sizes of columns stay if it has the same ones. */
export function showRows(grid: DataGrid, table: ITable, rows: RowsModel): void {
  const before = grid.dataModel;
  const same =
    before?.columnCount('body') === table.columns.length &&
    table.columns.every(({ name }, column) => before.data('column-header', 0, column) === name);
  grid.dataModel = rows;
  grid.selectionModel = new BasicSelectionModel({ dataModel: rows });
  colour(grid, table);
  if (!same) {
    fit(grid, table, rows);
  }
}

/** Take the colours of JupyterLab's theme as it is now. */
export function colour(grid: DataGrid, table: ITable): void {
  const theme = getComputedStyle(document.body);
  const of = (name: string) => theme.getPropertyValue(`--jp-${name}`).trim();
  const [strong, plain, quiet, faint] = [0, 1, 2, 3].map(level => of(`ui-font-color${level}`));
  const line = of('border-color2');
  const chosen = `color-mix(in srgb, ${of('brand-color1')} 20%, transparent)`;
  grid.style = {
    ...DataGrid.defaultStyle,
    voidColor: of('layout-color1'),
    backgroundColor: of('layout-color1'),
    gridLineColor: line,
    headerBackgroundColor: of('layout-color2'),
    headerGridLineColor: line,
    selectionFillColor: chosen,
    selectionBorderColor: of('brand-color1'),
    cursorFillColor: chosen,
    cursorBorderColor: of('brand-color1'),
    headerSelectionFillColor: chosen,
    headerSelectionBorderColor: of('brand-color1'),
    scrollShadow: { size: 4, color1: line, color2: line, color3: 'transparent' }
  };
  const font = `12px ${of('ui-font-family')}`;
  const numeric = (config: CellRenderer.CellConfig) => {
    const type = table.columns[config.column]?.type;
    return type !== undefined && isNumeric(type);
  };
  grid.cellRenderers.update({
    body: new TextRenderer({
      font,
      format: ({ value }) => valueText(value),
      textColor: ({ value }) => (value === null ? faint : plain),
      horizontalAlignment: config => (numeric(config) ? 'right' : 'left')
    }),
    'column-header': new TextRenderer({
      font: ({ row }) => (row === 0 ? `600 ${font}` : font),
      textColor: ({ row }) => (row === 0 ? strong : quiet),
      horizontalAlignment: config => (numeric(config) ? 'right' : 'left')
    }),
    'row-header': new TextRenderer({
      font,
      textColor: quiet,
      horizontalAlignment: 'right'
    }),
    'corner-header': new TextRenderer({ font })
  });
}

/** Make columns as wide as what stands in them first. */
function fit(grid: DataGrid, table: ITable, rows: RowsModel): void {
  table.columns.slice(0, COLUMNS_MEASURED).forEach(({ name, type }, column) => {
    let longest = Math.max(name.length, type.length);
    for (let row = 0; row < Math.min(table.rows, ROWS_MEASURED); row++) {
      longest = Math.max(longest, valueText(rows.data('body', row, column)).length);
    }
    grid.resizeColumn('body', column, Math.min(longest * LETTER + MARGIN, WIDEST));
  });
  const digits = table.rows.toLocaleString().length;
  grid.resizeColumn('row-header', 0, Math.max(digits * LETTER + MARGIN, 40));
}
