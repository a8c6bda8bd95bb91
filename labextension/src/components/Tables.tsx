import { Button } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import { call } from '../api/operations';
import { useAsked, useModel, useNuvo } from './context';
import { Problem } from './Problem';
import { Section } from './Section';
import { TableRow } from './TableRow';

/** The tables of the current state. */
export function Tables(): JSX.Element | null {
  const { service, trans } = useNuvo();
  const state = useModel(service.state);
  if (!state.instance || !state.may('instance viewer')) {
    return null;
  }
  const { reference } = state.instance;
  return (
    <Section title={trans.__('Tables')} folded>
      <TableList key={reference} state={reference} />
    </Section>
  );
}

function TableList({ state }: { state: string }): JSX.Element {
  const { actions, service, trans } = useNuvo();
  const { version } = useModel(service.objects);
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/tables', { state }),
    `${state} ${version}`
  );
  return (
    <>
      {problem && <Problem problem={problem} />}
      {!answer && !problem && <p className="nuvo-Muted">{trans.__('Loading…')}</p>}
      {answer?.length === 0 && (
        <p className="nuvo-Muted">
          {trans.__(
            'No table yet. Make some with SQL in a notebook, through nuvo.connect(), or of files, here.'
          )}
        </p>
      )}
      <ul className="nuvo-List" aria-label={trans.__('Tables')}>
        {answer?.map(table => (
          <li key={table.path}>
            <TableRow table={table} state={state} />
          </li>
        ))}
      </ul>
      {service.state.may('instance editor') && service.upload && (
        <div className="nuvo-Buttons">
          <Button className="jp-mod-styled" onClick={() => void actions.tables.upload()}>
            {trans.__('Upload as table…')}
          </Button>
        </div>
      )}
    </>
  );
}
