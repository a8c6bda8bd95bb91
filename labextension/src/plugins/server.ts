import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { NuvoServer } from '../api/server';
import { INuvoServer } from '../tokens';

export const serverPlugin: JupyterFrontEndPlugin<INuvoServer> = {
  id: 'nuvo-jupyter:server',
  description: 'Provides requests to the Nuvo operations of the Jupyter server.',
  autoStart: true,
  provides: INuvoServer,
  activate: (app: JupyterFrontEnd): INuvoServer => new NuvoServer(app.serviceManager.serverSettings)
};
