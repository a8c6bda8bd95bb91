import { Button } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import { attempt } from '../dialogs/report';
import { useModel, useNow, useNuvo } from './context';
import { Section } from './Section';
import { SnapshotRow } from './SnapshotRow';

/** The snapshots of the instance shown, the newest first. */
export function Timeline(): JSX.Element {
  const { actions, service, trans } = useNuvo();
  const { snapshots, older, instance, space } = useModel(service.state);
  const now = useNow();
  return (
    <Section title={trans.__('Snapshots')} count={instance?.snapshots ?? snapshots.length}>
      {snapshots.length === 0 && (
        <p className="nuvo-Muted">
          {instance && !service.state.may('instance viewer')
            ? trans.__('You may not see this instance’s snapshots.')
            : trans.__('No snapshot yet.')}
        </p>
      )}
      <ol className="nuvo-List" aria-label={trans.__('Snapshots, newest first')}>
        {snapshots.map(snapshot => (
          <SnapshotRow
            key={snapshot.reference}
            snapshot={snapshot}
            now={now}
            timeZone={space?.timezone}
          />
        ))}
      </ol>
      <div className="nuvo-Buttons">
        {older && (
          <Button
            className="jp-mod-styled"
            onClick={() => void attempt(() => service.state.showOlder(), trans)}
          >
            {trans.__('Show older snapshots')}
          </Button>
        )}
        {instance && service.state.may('instance editor') && service.upload && (
          <Button
            className="jp-mod-styled"
            title={trans.__('Import a snapshot that was exported as one file')}
            onClick={() => void actions.crates.import()}
          >
            {trans.__('Import…')}
          </Button>
        )}
      </div>
    </Section>
  );
}
