import type { TranslationBundle } from '@jupyterlab/translation';

import type { Difference, ITask, ObjectKind, Outcome, Reason, Strategy } from './api/types';

/** Why a snapshot was taken, in a word or two. */
export function reasonWord(reason: Reason, trans: TranslationBundle): string {
  return {
    manual: trans.__('Taken by hand'),
    before_distribution: trans.__('Backup before a distribution'),
    before_restore: trans.__('Backup before a restore'),
    distributed: trans.__('Distributed'),
    scheduled: trans.__('Taken by the clock')
  }[reason];
}

/** What a delivery did to an object. */
export function outcomeWord(outcome: string, trans: TranslationBundle): string {
  const words: Record<Outcome, string> = {
    created: trans.__('created'),
    replaced: trans.__('replaced'),
    merged: trans.__('merged'),
    kept: trans.__('kept'),
    renamed: trans.__('renamed'),
    deleted: trans.__('deleted'),
    conflict: trans.__('conflict'),
    failed: trans.__('failed')
  };
  return words[outcome as Outcome] ?? outcome;
}

/** The order in which outcomes are told. */
export const OUTCOMES: Outcome[] = [
  'failed',
  'conflict',
  'created',
  'replaced',
  'merged',
  'renamed',
  'deleted',
  'kept'
];

/** Where a task stands. */
export function taskStateWord(state: string, trans: TranslationBundle): string {
  const words: Record<ITask['state'], string> = {
    waiting: trans.__('waiting'),
    queued: trans.__('queued'),
    running: trans.__('running'),
    done: trans.__('done'),
    failed: trans.__('failed'),
    cancelled: trans.__('cancelled')
  };
  return words[state as ITask['state']] ?? state;
}

/** How a path of the current state differs from a snapshot. */
export function differenceWord(difference: Difference, trans: TranslationBundle): string {
  return {
    added: trans.__('new since the snapshot'),
    removed: trans.__('no longer there'),
    changed: trans.__('changed'),
    type_changed: trans.__('became something else'),
    mode_changed: trans.__('permissions changed')
  }[difference];
}

/** What an object is. */
export function kindWord(kind: ObjectKind, trans: TranslationBundle): string {
  return {
    file: trans.__('File'),
    table: trans.__('Table'),
    application: trans.__('Application')
  }[kind];
}

/** Each strategy's name and what it does to whole objects: tables and applications. */
export function objectStrategies(trans: TranslationBundle): [Strategy, string][] {
  return [
    ['overwrite', trans.__('Overwrite what differs')],
    ['merge', trans.__('Merge: take the new one where the target’s is untouched, else keep both')],
    ['extra', trans.__('Extra: only add what is missing')],
    ['rename', trans.__('Rename: keep what differs and put yours beside it')],
    ['replace', trans.__('Replace: also delete what only the target has')],
    ['skip', trans.__('Skip')]
  ];
}

/** Each strategy's name and what it does where the target's file differs. */
export function strategies(trans: TranslationBundle): [Strategy, string, string][] {
  return [
    [
      'overwrite',
      trans.__('Overwrite'),
      trans.__('Replaces what differs; keeps files only the target has.')
    ],
    [
      'merge',
      trans.__('Merge'),
      trans.__(
        'Brings both sides together, cell by cell and line by line; a conflict keeps the target’s file and puts yours beside it.'
      )
    ],
    ['extra', trans.__('Extra'), trans.__('Adds only what is missing; never changes a file.')],
    [
      'rename',
      trans.__('Rename'),
      trans.__('Keeps what differs and puts your version beside it under another name.')
    ],
    [
      'replace',
      trans.__('Replace'),
      trans.__('Makes the target exactly like the source: also deletes what only the target has.')
    ],
    ['skip', trans.__('Skip'), trans.__('Leaves files out.')]
  ];
}
