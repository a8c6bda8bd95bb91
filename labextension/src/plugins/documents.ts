import type { JupyterFrontEnd, JupyterFrontEndPlugin, LabShell } from '@jupyterlab/application';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { Debouncer } from '@lumino/polling';

import { INuvoService } from '../tokens';

const MILLISECONDS_OF_QUIET = 200;

/** Saves open documents before a snapshot or restore; after any delivery, lists the folder anew and shows them as they are on disk. */
export const documentsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nuvo-jupyter:documents',
  description: 'Shows files as they are on disk after a restore or a delivery.',
  autoStart: true,
  requires: [INuvoService, IDocumentManager],
  optional: [IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    service: INuvoService,
    documents: IDocumentManager,
    browser: IDefaultFileBrowser | null
  ) => {
    const open = () =>
      Array.from((app.shell as LabShell).widgets('main'), widget =>
        documents.contextForWidget(widget)
      ).filter(context => context !== undefined);
    // What was not saved goes into the snapshot or backup, and the document can show what was restored.
    service.preparations.push(() =>
      Promise.allSettled(
        [...new Set(open())].filter(context => context.model.dirty).map(context => context.save())
      )
    );
    const show = new Debouncer(async () => {
      await browser?.model.refresh();
      await Promise.all([...new Set(open())].map(context => revertIfChanged(app, context)));
    }, MILLISECONDS_OF_QUIET);
    service.tasks.finished.connect((_, task) => {
      if (task.kind === 'delivery' || task.kind === 'distribution') {
        void show.invoke();
      }
    });
  }
};

/** Read a document from disk again, unless it holds work that was not saved. */
async function revertIfChanged(
  app: JupyterFrontEnd,
  context: DocumentRegistry.Context
): Promise<void> {
  if (!context.isReady || context.model.dirty) {
    return;
  }
  try {
    const now = await app.serviceManager.contents.get(context.path, { content: false });
    if (now.last_modified !== context.contentsModel?.last_modified && !context.model.dirty) {
      await context.revert();
    }
  } catch {
    // Deleted by the delivery: the document stays open, so that nothing the user sees is lost.
  }
}
