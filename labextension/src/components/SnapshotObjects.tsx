import { kernelIcon, undoIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import { call } from '../api/operations';
import type { ISnapshot } from '../api/types';
import { useAsked, useNuvo } from './context';
import { Problem } from './Problem';
import { SnapshotTable } from './TableRow';

/** The tables and applications that a snapshot holds. */
export function SnapshotObjects({ snapshot }: { snapshot: ISnapshot }): JSX.Element | null {
  const { service, trans } = useNuvo();
  const state = snapshot.reference;
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/snapshot', { state }),
    state
  );
  if (problem) {
    return <Problem problem={problem} />;
  }
  if (!answer) {
    return null;
  }
  const { tables, applications } = answer;
  return (
    <>
      {tables.length > 0 && (
        <>
          <h3 className="nuvo-Subhead">{trans._n('%1 table', '%1 tables', tables.length)}</h3>
          <SnapshotTables snapshot={snapshot} />
        </>
      )}
      {applications.length > 0 && (
        <>
          <h3 className="nuvo-Subhead">
            {trans._n('%1 application', '%1 applications', applications.length)}
          </h3>
          <ul className="nuvo-List nuvo-Tree" aria-label={trans.__('Applications in the snapshot')}>
            {applications.map(name => (
              <li key={name}>
                <SnapshotApplication snapshot={snapshot} name={name} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function SnapshotTables({ snapshot }: { snapshot: ISnapshot }): JSX.Element {
  const { service, trans } = useNuvo();
  const state = snapshot.reference;
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/tables', { state }),
    state
  );
  return (
    <>
      {problem && <Problem problem={problem} />}
      <ul className="nuvo-List nuvo-Tables" aria-label={trans.__('Tables in the snapshot')}>
        {answer?.map(table => (
          <li key={table.path}>
            <SnapshotTable table={table} snapshot={snapshot} />
          </li>
        ))}
      </ul>
    </>
  );
}

function SnapshotApplication(props: { snapshot: ISnapshot; name: string }): JSX.Element {
  const { snapshot, name } = props;
  const { actions, service, trans } = useNuvo();
  const label = trans.__('Restore the application %1…', name);
  return (
    <div className="nuvo-Entry">
      <kernelIcon.react tag="span" className="nuvo-Icon" />
      <span className="nuvo-Entry-name" title={name}>
        {name}
      </span>
      {service.state.may('instance editor') && (
        <button
          className="nuvo-IconButton"
          aria-label={label}
          title={label}
          onClick={() => void actions.applications.restore(name, snapshot)}
        >
          <undoIcon.react tag="span" className="nuvo-Icon" />
        </button>
      )}
    </div>
  );
}
