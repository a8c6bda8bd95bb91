import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Actions } from '../actions';
import { DOMAIN, INuvoActions, INuvoService } from '../tokens';

export const actionsPlugin: JupyterFrontEndPlugin<INuvoActions> = {
  id: 'nuvo-jupyter:actions',
  description: 'Asks back, acts and tells how it went, for what users set off.',
  autoStart: true,
  requires: [INuvoService],
  optional: [ITranslator],
  provides: INuvoActions,
  activate: (_: JupyterFrontEnd, service: INuvoService, translator: ITranslator | null) =>
    new Actions(service, (translator ?? nullTranslator).load(DOMAIN))
};
