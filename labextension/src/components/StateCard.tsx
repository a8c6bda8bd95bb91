import { Button } from '@jupyterlab/ui-components';
import { type JSX, useState } from 'react';

import { useModel, useNuvo } from './context';
import { Problem } from './Problem';

/** The instance that the folder shown belongs to, and the buttons that take a snapshot of it. */
export function StateCard(): JSX.Element {
  const { service, trans } = useNuvo();
  const state = useModel(service.state);
  const { instance, located } = state;
  return (
    <section className="nuvo-Card" aria-label={trans.__('Current state')} aria-busy={state.loading}>
      {state.problem && <Problem problem={state.problem} />}
      {instance && (
        <>
          <h2 className="nuvo-Card-title" title={instance.workspace}>
            <span className="nuvo-Card-space">{instance.space}</span>
            <span aria-hidden="true"> › </span>
            <span>{instance.name}</span>
          </h2>
          {instance.description && <p className="nuvo-Muted">{instance.description}</p>}
          <p className="nuvo-Card-state">
            {instance.state_description || (
              <span className="nuvo-Muted">{trans.__('No description of the current work.')}</span>
            )}
          </p>
          {instance.final && (
            <p className="nuvo-Badge">{trans.__('No work is expected in this stage')}</p>
          )}
          {instance.archived && <p className="nuvo-Badge">{trans.__('Archived')}</p>}
        </>
      )}
      {!instance && located && <FirstSnapshot space={located.suggested_space} />}
      {!instance && !located && !state.problem && (
        <p className="nuvo-Muted">
          {state.loading
            ? trans.__('Looking at this folder…')
            : trans.__('Snapshots can be taken of folders on this server.')}
        </p>
      )}
      {(instance ? state.may('instance editor') && !instance.archived : located) && (
        <SnapshotButtons />
      )}
    </section>
  );
}

function FirstSnapshot({ space }: { space: string }): JSX.Element {
  const { trans } = useNuvo();
  return (
    <>
      <h2 className="nuvo-Card-title">{trans.__('Not used with Nuvo yet')}</h2>
      <p>
        {trans.__(
          'The first snapshot makes this folder the Master of a new research space, “%1”. Nothing else is needed, and no file is moved.',
          space
        )}
      </p>
    </>
  );
}

function SnapshotButtons(): JSX.Element {
  const { actions, trans } = useNuvo();
  const [busy, setBusy] = useState(false);
  const run = (work: () => Promise<void>) => {
    setBusy(true);
    void work().finally(() => setBusy(false));
  };
  return (
    <div className="nuvo-Buttons">
      <Button
        className="jp-mod-styled jp-mod-accept"
        disabled={busy}
        onClick={() => run(() => actions.takeSnapshot())}
      >
        {trans.__('Take snapshot')}
      </Button>
      <Button
        className="jp-mod-styled"
        disabled={busy}
        title={trans.__('Take a snapshot with a name and a description')}
        onClick={() => run(() => actions.describeSnapshot())}
      >
        {trans.__('Describe…')}
      </Button>
    </div>
  );
}
