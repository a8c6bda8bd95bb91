import { Button, spreadsheetIcon, undoIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import type { ISnapshot, ITable } from '../api/types';
import { size } from '../formats';
import { useNuvo } from './context';
import { Problem } from './Problem';
import { Disclosure } from './Section';

/** A table of the current state: a click opens it, the caret shows what can be done with it. */
export function TableRow({ table, state }: { table: ITable; state: string }): JSX.Element {
  const { trans } = useNuvo();
  return (
    <Disclosure
      className="nuvo-Row nuvo-Object"
      label={trans.__('What can be done with %1', table.name)}
      head={null}
      aside={<OpenTable table={table} state={state} />}
    >
      {() => <TableBody table={table} state={state} />}
    </Disclosure>
  );
}

/** A table of a snapshot. */
export function SnapshotTable(props: { table: ITable; snapshot: ISnapshot }): JSX.Element {
  const { table, snapshot } = props;
  const { actions, service, trans, compareTable } = useNuvo();
  const label = trans.__('Restore the table %1…', table.name);
  const compare = trans.__('Compare %1 with the current table', table.name);
  return (
    <div className="nuvo-Entry">
      <OpenTable table={table} state={snapshot.reference} />
      <button
        className="nuvo-IconButton"
        aria-label={compare}
        title={compare}
        onClick={() => compareTable(snapshot.reference, currentOf(snapshot), table.name)}
      >
        <span aria-hidden="true">±</span>
      </button>
      {service.state.may('instance editor') && (
        <button
          className="nuvo-IconButton"
          aria-label={label}
          title={label}
          onClick={() => void actions.tables.restore(table, snapshot)}
        >
          <undoIcon.react tag="span" className="nuvo-Icon" />
        </button>
      )}
    </div>
  );
}

function OpenTable({ table, state }: { table: ITable; state: string }): JSX.Element {
  const { trans, openTable } = useNuvo();
  return (
    <button
      className="nuvo-Disclosure-button"
      title={table.name}
      onClick={() => openTable(state, table.name)}
    >
      <spreadsheetIcon.react tag="span" className="nuvo-Icon" />
      <span className="nuvo-Row-text">
        <span className="nuvo-Row-title">{table.name}</span>
        <span className="nuvo-Row-sub" data-state={table.problem ? 'failed' : undefined}>
          {tableText(table, trans)}
        </span>
      </span>
    </button>
  );
}

function TableBody({ table, state }: { table: ITable; state: string }): JSX.Element {
  const { actions, service, trans, compareTable } = useNuvo();
  const { tables } = actions;
  const editor = service.state.may('instance editor');
  const compare = async () => {
    const snapshot = await tables.chooseComparison(table);
    if (snapshot) {
      compareTable(snapshot.reference, state, table.name);
    }
  };
  return (
    <div className="nuvo-Row-body">
      {table.problem && <Problem problem={{ code: 'invalid_input', message: table.problem }} />}
      <div className="nuvo-Buttons">
        <Button
          className="jp-mod-styled"
          title={trans.__('Stage for distribution')}
          onClick={() => void tables.stage(table)}
        >
          {trans.__('Stage')}
        </Button>
        {!table.view && (
          <Button
            className="jp-mod-styled"
            title={trans.__('Compare with a snapshot')}
            onClick={() => void compare()}
          >
            {trans.__('Compare…')}
          </Button>
        )}
        {editor && (
          <>
            <Button
              className="jp-mod-styled"
              title={trans.__('Restore this table from a snapshot')}
              onClick={() => void tables.restore(table)}
            >
              {trans.__('Restore…')}
            </Button>
            <Button className="jp-mod-styled" onClick={() => void tables.rename(table)}>
              {trans.__('Rename…')}
            </Button>
            <Button className="jp-mod-styled" onClick={() => void tables.delete(table)}>
              {trans.__('Delete…')}
            </Button>
          </>
        )}
      </div>
    </div>
  );
}

/** The current state of a snapshot's instance. */
function currentOf(snapshot: ISnapshot): string {
  return snapshot.reference.split('@')[0];
}

/** What a table is, in a line: `3 rows · 2 columns · 1.4 kB`. */
export function tableText(table: ITable, trans: TranslationBundle): string {
  if (table.problem) {
    return trans.__('cannot be used');
  }
  if (table.view) {
    return trans.__('view');
  }
  return [
    trans._n('%1 row', '%1 rows', table.rows).replace(`${table.rows}`, table.rows.toLocaleString()),
    trans._n('%1 column', '%1 columns', table.columns.length),
    size(table.size)
  ].join(' · ');
}
