import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { actionsPlugin } from './plugins/actions';
import { commandsPlugin } from './plugins/commands';
import { contextMenuPlugin } from './plugins/contextMenu';
import { documentsPlugin } from './plugins/documents';
import { notebooksPlugin } from './plugins/notebooks';
import { serverPlugin } from './plugins/server';
import { servicePlugin } from './plugins/service';
import { sidebarPlugin } from './plugins/sidebar';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  serverPlugin,
  servicePlugin,
  actionsPlugin,
  commandsPlugin,
  contextMenuPlugin,
  sidebarPlugin,
  documentsPlugin,
  notebooksPlugin
];

export default plugins;
