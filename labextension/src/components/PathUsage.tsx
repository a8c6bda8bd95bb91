import { folderIcon } from '@jupyterlab/ui-components';
import { type JSX, useState } from 'react';

import { askUsage } from '../api/reports';
import type { IPathUsage } from '../api/types';
import { size } from '../formats';
import { useAsked, useNuvo } from './context';
import { KindIcon } from './KindIcon';
import { Problem } from './Problem';
import { Disclosure } from './Section';
import { UsageBar } from './UsageBar';

const SHOWN = 12;

/** Why deleting files gives no room back, and which tables, applications, files and folders take it. */
export function PathUsage(props: { instance: string; changes: string }): JSX.Element {
  const { trans } = useNuvo();
  return (
    <Disclosure head={trans.__('Why is my space still full?')}>
      {() => (
        <>
          <p>
            {trans.__(
              'Snapshots keep what was deleted from the folder. Deleting something frees its room only when every snapshot that has it is deleted, too. This is what is kept, over all snapshots:'
            )}
          </p>
          <UsageFolder {...props} folder="" />
        </>
      )}
    </Disclosure>
  );
}

/** What is in one folder, the largest first; subfolders are measured when they are opened. */
function UsageFolder(props: { instance: string; changes: string; folder: string }): JSX.Element {
  const { instance, changes, folder } = props;
  const { service, trans } = useNuvo();
  const [all, setAll] = useState(false);
  const { answer, problem } = useAsked(
    () => askUsage(service.server, instance, folder),
    `${changes} ${folder}`
  );
  if (problem) {
    return <Problem problem={problem} />;
  }
  if (!answer) {
    return (
      <p className="nuvo-Muted" role="status">
        {trans.__('Measuring…')}
      </p>
    );
  }
  const paths = answer.spaces[0]?.instances[0]?.paths ?? [];
  if (!paths.length) {
    return <p className="nuvo-Muted">{trans.__('Nothing is stored yet.')}</p>;
  }
  const longest = Math.max(...paths.map(one => one.held), 1);
  const label = folder
    ? trans.__('Stored in %1, largest first', folder)
    : trans.__('Stored by table, application, file and folder, largest first');
  return (
    <>
      <ol className="nuvo-List nuvo-Tree" aria-label={label}>
        {paths.slice(0, all ? paths.length : SHOWN).map(one => (
          <li key={one.path}>
            {one.folder && one.kind === 'file' ? (
              <Disclosure
                className="nuvo-Usage-folder"
                head={<UsageRow one={one} longest={longest} />}
              >
                {() => <UsageFolder {...props} folder={one.path} />}
              </Disclosure>
            ) : (
              <div className="nuvo-Usage-leaf">
                <UsageRow one={one} longest={longest} />
              </div>
            )}
          </li>
        ))}
      </ol>
      {!all && paths.length > SHOWN && (
        <button className="nuvo-Link" onClick={() => setAll(true)}>
          {trans.__('Show all %1', paths.length)}
        </button>
      )}
    </>
  );
}

function UsageRow(props: { one: IPathUsage; longest: number }): JSX.Element {
  const { one, longest } = props;
  const { trans } = useNuvo();
  const versions = trans._n('%1 version', '%1 versions', one.versions);
  return (
    <span className="nuvo-Usage-path">
      <span className="nuvo-Usage-name" title={one.path}>
        {one.folder && one.kind === 'file' ? (
          <folderIcon.react tag="span" className="nuvo-Icon" title={trans.__('Folder')} />
        ) : (
          <KindIcon kind={one.kind} />
        )}{' '}
        {one.kind === 'file' ? one.name.split('/').pop() : one.name}
      </span>{' '}
      <span className="nuvo-Usage-text nuvo-Muted">
        {trans.__('%1 in %2', size(one.held), versions)}
      </span>{' '}
      <UsageBar held={one.held} alone={one.alone} longest={longest} />
      <span className="nuvo-Usage-text nuvo-Usage-frees nuvo-Muted">
        {!one.newest && `${trans.__('Not in the newest snapshot.')} `}
        {one.snapshots > 0 &&
          one.frees !== null &&
          trans._n(
            'Deleting the one snapshot that has it would free %2.',
            'Deleting the %1 snapshots that have it would free %2.',
            one.snapshots,
            size(one.frees)
          )}
      </span>
    </span>
  );
}
