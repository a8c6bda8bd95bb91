import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, spreadsheetIcon } from '@jupyterlab/ui-components';
import { type JSX, useId, useState } from 'react';

import { call } from '../api/operations';
import type { ITable, ITableComparison } from '../api/types';
import { ChangedRows } from './ChangedRows';
import { type IViewContext, useAsked, useModel, useNuvo, ViewContext } from './context';
import { Problem } from './Problem';

/** Which table is compared between which two states. */
export interface ICompared {
  left: string;
  right: string;
  table: string;
}

/** A tab that shows how a table differs between two states. */
export class TableComparisonView extends ReactWidget {
  constructor(
    private readonly _context: IViewContext,
    private readonly _compared: ICompared
  ) {
    super();
    const { trans } = _context;
    this.title.icon = spreadsheetIcon;
    this.title.label = trans.__('Compare %1', _compared.table);
    this.title.caption = trans.__('Comparison of %1', _compared.table);
    this.addClass('nuvo-Table');
    this.addClass('nuvo-Compare');
  }

  protected render(): JSX.Element {
    return (
      <ViewContext.Provider value={this._context}>
        <TableComparison {...this._compared} />
      </ViewContext.Provider>
    );
  }
}

function TableComparison({ left, right, table }: ICompared): JSX.Element {
  const { service, trans } = useNuvo();
  const { version } = useModel(service.objects);
  const [key, setKey] = useState<string[] | null>(null);
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/table/compare', { left, right, table, key: key ?? [] }),
    `${left} ${right} ${table} ${JSON.stringify(key)} ${version}`
  );
  return (
    <>
      <h1>{table}</h1>
      <p className="nuvo-Muted">{trans.__('From %1 to %2', left, right)}</p>
      {problem && <Problem problem={problem} />}
      {!answer && !problem && (
        <p className="nuvo-Muted" role="status">
          {trans.__('Comparing…')}
        </p>
      )}
      {answer && (
        <>
          <p role="status">{countsText(answer, trans)}</p>
          <Columns compared={answer} />
          {answer.left && answer.right && (
            <KeyPicker compared={answer} value={key ?? answer.key} onChange={setKey} />
          )}
          <ChangedRows compared={answer} />
        </>
      )}
    </>
  );
}

/** How many rows differ, in a sentence. */
function countsText(compared: ITableComparison, trans: TranslationBundle): string {
  const { left, right, rows_added, rows_changed, rows_removed } = compared;
  if (!left) {
    return trans.__('The table is new: the first state does not have it.');
  }
  if (!right) {
    return trans.__('The table is gone: the second state does not have it.');
  }
  if (rows_added + rows_changed + rows_removed === 0) {
    return trans.__('All %1 rows are the same.', right.rows.toLocaleString());
  }
  return trans.__(
    'Rows: %1 added, %2 removed, %3 changed; %4 before, %5 now.',
    rows_added.toLocaleString(),
    rows_removed.toLocaleString(),
    rows_changed.toLocaleString(),
    left.rows.toLocaleString(),
    right.rows.toLocaleString()
  );
}

function Columns({ compared }: { compared: ITableComparison }): JSX.Element | null {
  const { trans } = useNuvo();
  const { added, changed, left, removed, right } = compared;
  if (!left || !right || added.length + removed.length + changed.length === 0) {
    return null;
  }
  const lines: [difference: string, sign: string, text: string][] = [
    ...added.map((name): [string, string, string] => [
      'added',
      '+',
      trans.__('%1 (%2), a new column', name, typeOf(right, name))
    ]),
    ...removed.map((name): [string, string, string] => [
      'removed',
      '−',
      trans.__('%1 (%2), no longer there', name, typeOf(left, name))
    ]),
    ...changed.map((name): [string, string, string] => [
      'changed',
      '±',
      trans.__('%1 was %2 and is %3', name, typeOf(left, name), typeOf(right, name))
    ])
  ];
  return (
    <ul className="nuvo-List" aria-label={trans.__('Columns that differ')}>
      {lines.map(([difference, sign, text]) => (
        <li key={text} className="nuvo-Entry">
          <span className="nuvo-Sign" data-difference={difference} aria-hidden="true">
            {sign}
          </span>
          <span>{text}</span>
        </li>
      ))}
    </ul>
  );
}

/** Choose the columns by which rows belong together. */
function KeyPicker(props: {
  compared: ITableComparison;
  value: string[];
  onChange: (key: string[]) => void;
}): JSX.Element {
  const { compared, onChange, value } = props;
  const { trans } = useNuvo();
  const id = useId();
  const before = new Set(compared.left?.columns.map(({ name }) => name));
  const both = compared.right?.columns.filter(({ name }) => before.has(name)) ?? [];
  const toggle = (name: string) =>
    onChange(both.map(column => column.name).filter(one => (one === name) !== value.includes(one)));
  return (
    <fieldset className="nuvo-Fieldset nuvo-Key" aria-describedby={`${id}-hint`}>
      <legend>{trans.__('Rows belong together by')}</legend>
      {both.map(({ name }) => (
        <label key={name} className="nuvo-Choice">
          <input type="checkbox" checked={value.includes(name)} onChange={() => toggle(name)} />
          {name}
        </label>
      ))}
      <div id={`${id}-hint`} className="nuvo-Hint">
        {compared.key.length
          ? trans.__('A row with the same key and other values has changed.')
          : trans.__('Without a key, rows are only counted: a changed one was removed and added.')}
      </div>
    </fieldset>
  );
}

function typeOf(table: ITable, name: string): string {
  return table.columns.find(column => column.name === name)?.type ?? '';
}
