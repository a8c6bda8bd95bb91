import type { JSX } from 'react';

import type { ITableComparison } from '../api/types';
import { valueText } from '../grid/values';
import { useNuvo } from './context';

type Row = unknown[] | null;

/** The first rows that differ between two versions of a table: what was, and what is. */
export function ChangedRows({ compared }: { compared: ITableComparison }): JSX.Element | null {
  const { trans } = useNuvo();
  const { key, left, right, rows } = compared;
  if (!left || !right || rows.length === 0) {
    return null;
  }
  const before = left.columns.map(({ name }) => name);
  const names = right.columns.map(({ name }) => name);
  // The order in which the values of rows stand.
  const both = [...key, ...names.filter(name => before.includes(name) && !key.includes(name))];
  const all = compared.rows_added + compared.rows_removed + compared.rows_changed;
  return (
    <div className="nuvo-Preview">
      <table aria-label={trans.__('Rows that differ')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Row')}</th>
            {both.map(name => (
              <th scope="col" key={name}>
                {name}
                {key.includes(name) && <span className="nuvo-Muted"> ({trans.__('key')})</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index} data-row={kindOf(row.left, row.right)}>
              <th scope="row">
                {
                  {
                    added: trans.__('added'),
                    removed: trans.__('removed'),
                    changed: trans.__('changed')
                  }[kindOf(row.left, row.right)]
                }
              </th>
              {both.map((name, column) => (
                <td key={name}>
                  <Values left={row.left} right={row.right} at={column} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {all > rows.length && (
        <p className="nuvo-Muted">{trans.__('… and %1 more', all - rows.length)}</p>
      )}
    </div>
  );
}

function Values({ left, right, at }: { left: Row; right: Row; at: number }): JSX.Element {
  const was = left && valueText(left[at]);
  const is = right && valueText(right[at]);
  if (was === null || is === null || was === is) {
    return <>{is ?? was}</>;
  }
  return (
    <>
      <del>{was}</del> <ins>{is}</ins>
    </>
  );
}

function kindOf(left: Row, right: Row): 'added' | 'removed' | 'changed' {
  if (left === null) {
    return 'added';
  }
  return right === null ? 'removed' : 'changed';
}
