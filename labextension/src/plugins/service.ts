import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { Event } from '@jupyterlab/services';
import { Throttler } from '@lumino/polling';

import { NuvoService } from '../service';
import { INuvoServer, INuvoService } from '../tokens';
import { uploadTo } from '../upload';

const PROGRESS = 'https://schema.nuvo-jupyter.org/events/progress/v1';
const MILLISECONDS_BETWEEN_LOOKS = 300;

/** Provides what the panel shows, following the file browser, the server's events and the page's visibility. */
export const servicePlugin: JupyterFrontEndPlugin<INuvoService> = {
  id: 'nuvo-jupyter:service',
  description: 'Provides state, stage and tasks of the instance shown in the file browser.',
  autoStart: true,
  requires: [INuvoServer],
  optional: [IDefaultFileBrowser],
  provides: INuvoService,
  activate: (
    app: JupyterFrontEnd,
    server: INuvoServer,
    browser: IDefaultFileBrowser | null
  ): INuvoService => {
    const { contents } = app.serviceManager;
    const service = new NuvoService(server, browser && uploadTo(browser.model, contents));
    const look = new Throttler(() => service.tasks.refresh(), {
      limit: MILLISECONDS_BETWEEN_LOOKS,
      edge: 'trailing'
    });
    app.serviceManager.events.stream.connect((_, event: Event.Emission) => {
      if (event.schema_id === PROGRESS) {
        void look.invoke();
      }
    });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) {
        void look.invoke();
      }
    });

    const follow = () => {
      void service.state.open(folderOf(app, browser?.model.path ?? ''));
    };
    browser?.model.pathChanged.connect(follow);
    void app.restored.then(() => {
      follow();
      void service.tasks.refresh();
      // The panel asks again, and reports, when it is opened.
      service.stage.refresh().catch(() => undefined);
    });
    return service;
  }
};

/** The absolute folder on the server behind a path of the file browser; `null` on other drives. */
function folderOf(app: JupyterFrontEnd, path: string): string | null {
  const { contents } = app.serviceManager;
  const drive = contents.driveName(path);
  // Documents edited together live on a drive of their own over the same files.
  if (drive && drive !== 'RTC') {
    return null;
  }
  const local = contents.localPath(path);
  const root = PageConfig.getOption('serverRoot');
  return local ? `${root.replace(/\/$/, '')}/${local}` : root;
}
