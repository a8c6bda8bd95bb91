import { fileIcon, kernelIcon, spreadsheetIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import type { ObjectKind } from '../api/types';
import { kindWord } from '../words';
import { useNuvo } from './context';

const ICONS = { file: fileIcon, table: spreadsheetIcon, application: kernelIcon };

/** Whether an object is a file, a table or an application. */
export function KindIcon({ kind = 'file' }: { kind?: ObjectKind }): JSX.Element {
  const { trans } = useNuvo();
  const word = kindWord(kind, trans);
  const Icon = ICONS[kind];
  return <Icon.react tag="span" className="nuvo-Icon" title={word} />;
}
