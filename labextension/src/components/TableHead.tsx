import type { JSX } from 'react';

import type { ITableRows } from '../api/types';
import { valueText } from '../grid/values';
import type { OpenTableModel } from '../models/openTable';
import { moment } from '../formats';
import { useModel, useNuvo } from './context';
import { Problem } from './Problem';
import { Disclosure } from './Section';
import { tableText } from './TableRow';

const ROWS_READ = 20;
const COLUMNS_READ = 50;

/** What stands above a table's grid: what it is, its definition, and its first rows for those who do not see the grid. */
export function TableHead({ table }: { table: OpenTableModel }): JSX.Element {
  const { service, trans } = useNuvo();
  const { name, problem, shown, state } = useModel(table);
  const { space } = useModel(service.state);
  return (
    <>
      <h1>{name}</h1>
      {problem && <Problem problem={problem} />}
      {shown?.table.problem && (
        <Problem problem={{ code: 'invalid_input', message: shown.table.problem }} />
      )}
      {!shown && !problem && (
        <p className="nuvo-Muted" role="status">
          {trans.__('Loading…')}
        </p>
      )}
      {shown && (
        <>
          <p className="nuvo-Muted">
            {[
              state,
              tableText(shown.table, trans),
              shown.table.path,
              trans.__('changed %1', moment(shown.table.modified_at, space?.timezone))
            ].join(' · ')}
          </p>
          {shown.definition && (
            <Disclosure head={<span>{trans.__('Definition')}</span>}>
              {() => (
                <pre className="nuvo-Definition" tabIndex={0} aria-label={trans.__('Definition')}>
                  {shown.definition}
                </pre>
              )}
            </Disclosure>
          )}
          {!shown.table.view && <FirstRows shown={shown} />}
        </>
      )}
    </>
  );
}

/** The grid is a picture to a screen reader; this is the same as a table, for it alone. */
function FirstRows({ shown }: { shown: ITableRows }): JSX.Element {
  const { trans } = useNuvo();
  const columns = shown.table.columns.slice(0, COLUMNS_READ);
  return (
    <table className="nuvo-Unseen" aria-label={trans.__('First rows')}>
      <thead>
        <tr>
          {columns.map(({ name, type }) => (
            <th scope="col" key={name}>
              {name} ({type})
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.rows.slice(0, ROWS_READ).map((row, index) => (
          <tr key={index}>
            {columns.map(({ name }, column) => (
              <td key={name}>{valueText(row[column])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
