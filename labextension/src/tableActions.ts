import type { TranslationBundle } from '@jupyterlab/translation';

import type { Actions } from './actions';
import { NuvoError } from './api/error';
import { call } from './api/operations';
import type { ISnapshot, ITable } from './api/types';
import { askConfirm, askForm } from './dialogs/form';
import { nameForm, snapshotChoice } from './dialogs/objectForms';
import { attempt, reportProblem } from './dialogs/report';
import { pathText, snapshotTitle, tableNameOf } from './formats';
import { chooseFile } from './upload';

/** The ends of names of files that tables are made of. */
const KINDS = ['csv', 'tsv', 'parquet', 'json', 'ndjson', 'jsonl', 'sqlite', 'sqlite3', 'db'];

/** Whether a file looks as if a table could be made of it; the server decides. */
export function maybeTable(name: string): boolean {
  return KINDS.some(kind => new RegExp(`\\.${kind}(\\.gz)?$`, 'i').test(name));
}

/** What users do with tables. */
export class TableActions {
  constructor(private readonly _base: Actions) {}

  /** Make tables of a file of the user's computer. */
  async upload(): Promise<void> {
    const { service } = this._base;
    const accept = KINDS.map(kind => `.${kind}`).join();
    const file = await chooseFile(`${accept},.gz`);
    if (!file || !service.upload) {
      return;
    }
    const name = await this._askName(file.name);
    if (name === null) {
      return;
    }
    await attempt(async () => {
      const put = await service.upload!(file);
      try {
        await this._import(service.state.pathOf(pathText(put.name)), name);
      } finally {
        await put.remove();
      }
    }, this._trans);
  }

  /** Make tables of a file of the folder shown. */
  async importFile(file: string): Promise<void> {
    const name = await this._askName(file);
    if (name !== null) {
      const path = this._base.service.state.pathOf(pathText(file));
      await attempt(() => this._import(path, name), this._trans);
    }
  }

  async rename(table: ITable): Promise<void> {
    const trans = this._trans;
    const schema = table.name.includes('.') ? table.name.replace(/[^.]*$/, '') : '';
    const answer = await askForm(
      {
        title: trans.__('Rename the table'),
        accept: trans.__('Rename'),
        initial: { name: table.name.slice(schema.length) },
        form: nameForm(trans.__('Name'))
      },
      trans
    );
    if (answer) {
      const request = { table: table.name, name: schema + answer.name.trim() };
      await this._change(instance =>
        call(this._base.service.server, 'patch', '/table', { instance, ...request })
      );
    }
  }

  async delete(table: ITable): Promise<void> {
    const trans = this._trans;
    const sure = await askConfirm(
      {
        title: trans.__('Delete this table?'),
        body: trans.__(
          '“%1” is deleted from the current state. Snapshots that hold it keep it, and it can be restored from them; rows that are in no snapshot are lost.',
          table.name
        ),
        accept: trans.__('Delete'),
        warn: true
      },
      trans
    );
    if (sure) {
      await this._change(instance =>
        call(this._base.service.server, 'delete', '/table', { instance, table: table.name })
      );
    }
  }

  stage(table: ITable): Promise<void> {
    return this._base.stageObjects([{ path: table.path, kind: 'table' }]);
  }

  /** Put a table back as a snapshot has it; asks which one if none is given. */
  async restore(table: ITable, from?: ISnapshot): Promise<void> {
    const trans = this._trans;
    if (from) {
      await this._base.restore(from, [table.path]);
      return;
    }
    const snapshot = await this._askSnapshot(
      trans.__('Restore “%1”', table.name),
      trans.__('Restore'),
      trans.__(
        'The table becomes what it is in the snapshot. A backup snapshot of the current state is taken first.'
      )
    );
    if (snapshot) {
      await this._base.start(() => this._base.service.restore(snapshot, [table.path]));
    }
  }

  /** Choose the snapshot that a table is compared with; `null` if the user changes their mind. */
  chooseComparison(table: ITable): Promise<ISnapshot | null> {
    const trans = this._trans;
    return this._askSnapshot(
      trans.__('Compare “%1”', table.name),
      trans.__('Compare'),
      trans.__('Shows how the current table differs from the one in the snapshot.')
    );
  }

  private async _askSnapshot(
    title: string,
    accept: string,
    text: string
  ): Promise<ISnapshot | null> {
    const trans = this._trans;
    const { snapshots } = this._base.service.state;
    if (snapshots.length === 0) {
      const message = trans.__('There is no snapshot yet.');
      const hint = trans.__('Take one from the Nuvo panel.');
      reportProblem({ code: 'not_found', message, hint }, trans);
      return null;
    }
    const choices = snapshots.map(one => [one.reference, snapshotTitle(one, trans)] as const);
    const answer = await askForm(
      {
        title,
        accept,
        initial: { snapshot: snapshots[0].reference },
        form: snapshotChoice(trans, choices, text)
      },
      trans
    );
    return snapshots.find(one => one.reference === answer?.snapshot) ?? null;
  }

  private async _askName(file: string): Promise<string | null> {
    const trans = this._trans;
    const answer = await askForm(
      {
        title: trans.__('Make a table of “%1”', file),
        accept: trans.__('Import'),
        initial: { name: tableNameOf(file) },
        form: nameForm(
          trans.__('Name of the table'),
          trans.__('Of a database: the only table to take; left empty, all of them.')
        )
      },
      trans
    );
    return answer && answer.name.trim();
  }

  private async _import(path: string, table: string, replace = false): Promise<void> {
    const trans = this._trans;
    const { server } = this._base.service;
    try {
      await this._changed(instance =>
        call(server, 'post', '/tables', { instance, path, table, replace })
      );
    } catch (error) {
      const problem = NuvoError.of(error);
      if (problem.code !== 'already_exists' || replace) {
        throw problem;
      }
      const title = trans.__('Replace the table?');
      const accept = trans.__('Replace');
      if (await askConfirm({ title, body: problem.message, accept, warn: true }, trans)) {
        await this._import(path, table, true);
      }
    }
  }

  private async _change(work: (instance: string) => Promise<unknown>): Promise<void> {
    await attempt(() => this._changed(work), this._trans);
  }

  private async _changed(work: (instance: string) => Promise<unknown>): Promise<void> {
    const { service } = this._base;
    const trans = this._trans;
    const reference = service.state.instance?.reference;
    if (!reference) {
      throw new NuvoError(
        0,
        'not_found',
        trans.__('This folder has no snapshot yet, so it has no tables.'),
        trans.__('Take its first snapshot from the Nuvo panel.')
      );
    }
    try {
      await work(reference);
    } finally {
      service.objects.refresh();
    }
  }

  private get _trans(): TranslationBundle {
    return this._base.trans;
  }
}
