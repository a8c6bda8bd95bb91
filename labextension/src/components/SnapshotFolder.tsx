import { fileIcon, folderIcon, linkIcon, undoIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import { call } from '../api/operations';
import type { IEntry, ISnapshot } from '../api/types';
import { size } from '../formats';
import { useAsked, useNuvo } from './context';
import { Problem } from './Problem';
import { Disclosure } from './Section';

const SHOWN = 500;

/** A folder of a snapshot, read-only; subfolders are asked for when they are opened. */
export function SnapshotFolder(props: { snapshot: ISnapshot; path: string }): JSX.Element {
  const { snapshot, path } = props;
  const { service, trans } = useNuvo();
  const state = path ? `${snapshot.reference}:${path}` : snapshot.reference;
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/browse', { state }),
    state
  );
  if (problem) {
    return <Problem problem={problem} />;
  }
  if (!answer) {
    return <p className="nuvo-Muted">{trans.__('Loading…')}</p>;
  }
  const label = path ? trans.__('Contents of %1', path) : trans.__('Files in the snapshot');
  return (
    <>
      {answer.length === 0 && <p className="nuvo-Muted">{trans.__('Empty folder')}</p>}
      <ul className="nuvo-List nuvo-Tree" aria-label={label}>
        {foldersFirst(answer)
          .slice(0, SHOWN)
          .map(entry => (
            <li key={entry.path}>
              <SnapshotEntry snapshot={snapshot} entry={entry} />
            </li>
          ))}
      </ul>
      {answer.length > SHOWN && (
        <p className="nuvo-Muted">{trans.__('… and %1 more', answer.length - SHOWN)}</p>
      )}
    </>
  );
}

function SnapshotEntry(props: { snapshot: ISnapshot; entry: IEntry }): JSX.Element {
  const { snapshot, entry } = props;
  const { trans } = useNuvo();
  if (entry.kind === 'folder') {
    return (
      <Disclosure
        head={
          <>
            <folderIcon.react tag="span" className="nuvo-Icon" />
            <span className="nuvo-Entry-name" title={entry.path}>
              {entry.name}
            </span>
          </>
        }
        aside={<RestoreButton {...props} />}
      >
        {() => <SnapshotFolder snapshot={snapshot} path={entry.path} />}
      </Disclosure>
    );
  }
  const Icon = entry.kind === 'link' ? linkIcon : fileIcon;
  const title = entry.link ? trans.__('%1, a link to %2', entry.path, entry.link) : entry.path;
  return (
    <div className="nuvo-Entry">
      <Icon.react tag="span" className="nuvo-Icon" />
      <span className="nuvo-Entry-name" title={title}>
        {entry.name}
      </span>
      <span className="nuvo-Muted">{entry.kind === 'file' ? size(entry.size) : ''}</span>
      <RestoreButton {...props} />
    </div>
  );
}

function RestoreButton(props: { snapshot: ISnapshot; entry: IEntry }): JSX.Element | null {
  const { service, actions, trans } = useNuvo();
  if (!service.state.may('instance editor')) {
    return null;
  }
  const label = trans.__('Restore %1…', props.entry.path);
  return (
    <button
      className="nuvo-IconButton"
      aria-label={label}
      title={label}
      onClick={() => void actions.restore(props.snapshot, [props.entry.path])}
    >
      <undoIcon.react tag="span" className="nuvo-Icon" />
    </button>
  );
}

function foldersFirst(entries: IEntry[]): IEntry[] {
  const rank = (entry: IEntry) => (entry.kind === 'folder' ? 0 : 1);
  return [...entries].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}
