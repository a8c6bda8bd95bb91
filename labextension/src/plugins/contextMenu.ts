import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';

import { nuvoIcon } from '../icons';
import { maybeTable } from '../tableActions';
import { INuvoActions } from '../tokens';

namespace CommandIDs {
  export const stage = 'nuvo:stage-selected';
  export const importTable = 'nuvo:import-table';
}

/** Adds the commands of the file browser's context menu, which is in schema/context-menu.json. */
export const contextMenuPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nuvo-jupyter:context-menu',
  description: 'Stages and imports files from the file browser’s context menu.',
  autoStart: true,
  requires: [INuvoActions, IFileBrowserFactory],
  activate: (app: JupyterFrontEnd, actions: INuvoActions, factory: IFileBrowserFactory) => {
    const selected = () =>
      Array.from(factory.tracker.currentWidget?.selectedItems() ?? [], item => item.name);
    app.commands.addCommand(CommandIDs.stage, {
      label: actions.trans.__('Stage for distribution'),
      icon: nuvoIcon.bindprops({ stylesheet: 'menuItem' }),
      isVisible: () => selected().length > 0,
      execute: () => actions.stage(selected())
    });
    app.commands.addCommand(CommandIDs.importTable, {
      label: actions.trans.__('Import as table…'),
      icon: nuvoIcon.bindprops({ stylesheet: 'menuItem' }),
      isVisible: () => {
        const [name, ...more] = selected();
        return name !== undefined && more.length === 0 && maybeTable(name);
      },
      execute: () => actions.tables.importFile(selected()[0])
    });
  }
};
