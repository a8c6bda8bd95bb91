import { URLExt } from '@jupyterlab/coreutils';

import type { Actions } from './actions';
import { NuvoError } from './api/error';
import { call, queryOf } from './api/operations';
import { whenEnded } from './api/reports';
import { API } from './api/server';
import type { ISnapshot } from './api/types';
import { crateForm, importForm } from './dialogs/crateForms';
import { askForm } from './dialogs/form';
import { attempt, reportProblem } from './dialogs/report';
import { pathText, snapshotTitle } from './formats';
import { chooseFile } from './upload';

/** Snapshots shared outside: a snapshot becomes one file, and comes from one. */
export class CrateActions {
  constructor(private readonly _base: Actions) {}

  /** Ask what to say about a snapshot, and download it as one file. */
  async export(snapshot: ISnapshot): Promise<void> {
    const { trans, service } = this._base;
    const words = await askForm(
      {
        title: trans.__('Export “%1” as one file', snapshotTitle(snapshot, trans)),
        accept: trans.__('Export'),
        initial: {
          title: snapshot.name ?? '',
          authors: '',
          license: '',
          description: snapshot.description
        },
        form: crateForm(trans)
      },
      trans
    );
    if (!words) {
      return;
    }
    const authors = words.authors.split('\n').map(name => name.trim());
    const query = queryOf([
      ['state', snapshot.reference],
      ['title', words.title.trim()],
      ['description', words.description],
      ['authors', authors.filter(name => name)],
      ['license', words.license.trim()]
    ]);
    const { baseUrl } = service.server.settings;
    download(`${URLExt.join(baseUrl, API, 'crate')}?${query}`, problem =>
      reportProblem(problem, trans)
    );
  }

  /** Take a crate of the user's computer in as a snapshot of the instance shown. */
  async import(): Promise<void> {
    const { trans, service } = this._base;
    const instance = service.state.instance?.reference;
    const file = await chooseFile('.zip');
    if (!file || !service.upload || !instance) {
      return;
    }
    const words = await askForm(
      {
        title: trans.__('Import “%1” as a snapshot', file.name),
        accept: trans.__('Import'),
        initial: { name: '' },
        form: importForm(trans, instance)
      },
      trans
    );
    if (!words) {
      return;
    }
    await attempt(async () => {
      const put = await service.upload!(file);
      try {
        const path = service.state.pathOf(pathText(put.name));
        const name = words.name.trim();
        const asked = call(service.server, 'post', '/crates', { instance, path, name });
        this._base.tell(await whenEnded(service.server, await this._base.begun(asked)));
      } finally {
        await put.remove();
        await service.state.refresh();
      }
    }, trans);
  }
}

/**
 * Download what an address answers, without leaving the page.
 *
 * A frame stays empty while the browser saves what it is sent; what it shows instead is an error.
 */
function download(url: string, failed: (problem: NuvoError) => void): void {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.addEventListener('load', () => {
    const text = frame.contentDocument?.body?.textContent;
    if (text) {
      failed(NuvoError.from(0, text, decoded(text)));
    }
    frame.remove();
  });
  frame.src = url;
  document.body.append(frame);
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
