import { Button } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import { call } from '../api/operations';
import { ApplicationRow } from './ApplicationRow';
import { useAsked, useModel, useNuvo } from './context';
import { Problem } from './Problem';
import { Section } from './Section';

/** The applications of the current state: kernels with their environments and settings. */
export function Applications(): JSX.Element | null {
  const { service, trans } = useNuvo();
  const state = useModel(service.state);
  if (!state.instance || !state.may('instance viewer')) {
    return null;
  }
  const { reference } = state.instance;
  return (
    <Section title={trans.__('Applications')} folded>
      <ApplicationList key={reference} instance={reference} />
    </Section>
  );
}

function ApplicationList({ instance }: { instance: string }): JSX.Element {
  const { actions, kernels, service, trans } = useNuvo();
  const { version } = useModel(service.objects);
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/applications', { instance }),
    `${instance} ${version}`
  );
  return (
    <>
      {problem && <Problem problem={problem} />}
      {!answer && !problem && <p className="nuvo-Muted">{trans.__('Loading…')}</p>}
      {answer?.length === 0 && (
        <p className="nuvo-Muted">
          {trans.__(
            'No application yet. Add the environment your notebooks run in, and snapshots and distributions bring it along.'
          )}
        </p>
      )}
      <ul className="nuvo-List" aria-label={trans.__('Applications')}>
        {answer?.map(application => (
          <li key={application.name}>
            <ApplicationRow application={application} />
          </li>
        ))}
      </ul>
      {service.state.may('instance editor') && (
        <div className="nuvo-Buttons">
          <Button
            className="jp-mod-styled"
            onClick={() => void actions.applications.add(kernels())}
          >
            {trans.__('Add…')}
          </Button>
        </div>
      )}
    </>
  );
}
