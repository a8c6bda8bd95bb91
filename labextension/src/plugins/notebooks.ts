import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { NotebookActions } from '@jupyterlab/notebook';
import { Throttler } from '@lumino/polling';

import { INuvoService } from '../tokens';

const MILLISECONDS_BETWEEN_LOOKS = 500;

/** After a cell ran: it may have written tables, and a magic in it may have staged something or started a task. */
export const notebooksPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nuvo-jupyter:notebooks',
  description: 'Shows in the panel what cells did.',
  autoStart: true,
  requires: [INuvoService],
  activate: (_: JupyterFrontEnd, service: INuvoService) => {
    const look = new Throttler(
      // What fails here is asked for and reported again when the panel is used.
      () => Promise.allSettled([service.stage.refresh(), service.tasks.refresh()]),
      { limit: MILLISECONDS_BETWEEN_LOOKS, edge: 'trailing' }
    );
    const objects = new Throttler(() => service.objects.refresh(), {
      limit: MILLISECONDS_BETWEEN_LOOKS,
      edge: 'trailing'
    });
    NotebookActions.executed.connect((_sender, { cell }) => {
      void objects.invoke();
      if (/^\s*%|nuvo/m.test(cell.model.sharedModel.getSource())) {
        void look.invoke();
      }
    });
  }
};
