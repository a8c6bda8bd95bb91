import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { serverPlugin } from './server';

const plugins: JupyterFrontEndPlugin<unknown>[] = [serverPlugin];

export default plugins;
