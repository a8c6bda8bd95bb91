import {
  Button,
  historyIcon,
  refreshIcon,
  saveIcon,
  shareIcon,
  undoIcon
} from '@jupyterlab/ui-components';
import { type JSX, useState } from 'react';

import type { ISnapshot, Reason } from '../api/types';
import { ago, moment, size, snapshotTitle } from '../formats';
import { reasonWord } from '../words';
import { Comparison } from './Comparison';
import { useNuvo } from './context';
import { Disclosure } from './Section';
import { LeftOut } from './LeftOut';
import { SnapshotFolder } from './SnapshotFolder';
import { SnapshotObjects } from './SnapshotObjects';

const REASON_ICONS: Record<Reason, typeof saveIcon> = {
  manual: saveIcon,
  before_distribution: historyIcon,
  before_restore: undoIcon,
  distributed: shareIcon,
  scheduled: refreshIcon
};

/** One snapshot of the timeline; opened, what it holds and what can be done with it. */
export function SnapshotRow(props: {
  snapshot: ISnapshot;
  now: number;
  timeZone?: string;
}): JSX.Element {
  const { snapshot } = props;
  const { trans } = useNuvo();
  const title = snapshotTitle(snapshot, trans);
  const reason = reasonWord(snapshot.reason, trans);
  const ReasonIcon = REASON_ICONS[snapshot.reason];
  const head = (
    <>
      <ReasonIcon.react tag="span" className="nuvo-Icon" title={reason} />
      <span className="nuvo-Row-text">
        <span className="nuvo-Row-title" title={title}>
          {title}
          {snapshot.name && <span className="nuvo-Muted"> #{snapshot.number}</span>}
        </span>
        <span className="nuvo-Row-sub">
          <time dateTime={snapshot.created_at} title={moment(snapshot.created_at, props.timeZone)}>
            {ago(snapshot.created_at, props.now, document.documentElement.lang || undefined)}
          </time>
          {' · '}
          {snapshot.created_by}
          {' · '}
          {size(snapshot.size)}
        </span>
        {snapshot.reason !== 'manual' && <span className="nuvo-Row-sub">{reason}</span>}
      </span>
    </>
  );
  return (
    <li>
      <Disclosure className="nuvo-Row" head={head}>
        {() => <SnapshotBody snapshot={snapshot} />}
      </Disclosure>
    </li>
  );
}

function SnapshotBody({ snapshot }: { snapshot: ISnapshot }): JSX.Element {
  const { service, actions, trans } = useNuvo();
  const [comparing, setComparing] = useState(false);
  const editor = service.state.may('instance editor');
  return (
    <div className="nuvo-Row-body">
      {snapshot.description && <p className="nuvo-Prose">{snapshot.description}</p>}
      <div className="nuvo-Buttons">
        <Button
          className="jp-mod-styled"
          aria-expanded={comparing}
          title={trans.__('Compare with the current state')}
          onClick={() => setComparing(!comparing)}
        >
          {trans.__('Compare')}
        </Button>
        <Button
          className="jp-mod-styled"
          title={trans.__('Export the snapshot as one file')}
          onClick={() => void actions.crates.export(snapshot)}
        >
          {trans.__('Export…')}
        </Button>
        {editor && (
          <>
            <Button className="jp-mod-styled" onClick={() => void actions.restore(snapshot, [])}>
              {trans.__('Restore all…')}
            </Button>
            <Button className="jp-mod-styled" onClick={() => void actions.rename(snapshot)}>
              {trans.__('Rename…')}
            </Button>
            <Button className="jp-mod-styled" onClick={() => void actions.delete(snapshot)}>
              {trans.__('Delete…')}
            </Button>
          </>
        )}
      </div>
      {comparing && <Comparison snapshot={snapshot} />}
      <SnapshotObjects snapshot={snapshot} />
      <h3 className="nuvo-Subhead">{trans._n('%1 file', '%1 files', snapshot.files)}</h3>
      <SnapshotFolder snapshot={snapshot} path="" />
      {(snapshot.excluded > 0 || snapshot.inconsistent > 0) && <LeftOut snapshot={snapshot} />}
    </div>
  );
}
