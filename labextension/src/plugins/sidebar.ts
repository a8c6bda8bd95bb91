import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, MainAreaWidget } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';

import type { IViewContext } from '../components/context';
import { DistributeView } from '../components/Distribute';
import { NuvoPanel } from '../components/Panel';
import { TableComparisonView } from '../components/TableComparison';
import { nuvoIcon } from '../icons';
import { runningKernels } from '../kernels';
import { launcher } from '../launch';
import { Tabs } from '../tabs';
import { INuvoActions, INuvoService } from '../tokens';

namespace CommandIDs {
  export const show = 'nuvo:show-panel';
  export const distribute = 'nuvo:distribute';
}

const RANK = 150;

/** Adds the panel to the left, and the tab in which distributions are set up. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nuvo-jupyter:sidebar',
  description: 'The Nuvo panel and the distribution tab.',
  autoStart: true,
  requires: [INuvoService, INuvoActions],
  optional: [
    IDefaultFileBrowser,
    ICommandPalette,
    ILayoutRestorer,
    INotebookTracker,
    IThemeManager
  ],
  activate: (
    app: JupyterFrontEnd,
    service: INuvoService,
    actions: INuvoActions,
    browser: IDefaultFileBrowser | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    themes: IThemeManager | null
  ) => {
    const { commands, shell } = app;
    const { trans } = actions;
    const tabs = new Tabs(shell);
    const context: IViewContext = {
      service,
      actions,
      trans,
      distribute: () => void commands.execute(CommandIDs.distribute),
      openTable: (state, table) =>
        void tabs.show(`nuvo-table ${state} ${table}`, async () => {
          const { TableTab } = await import('../grid/TableTab');
          return new TableTab(context, themes, state, table);
        }),
      compareTable: (left, right, table) =>
        void tabs.show(`nuvo-compare ${left} ${right} ${table}`, () =>
          Promise.resolve(new TableComparisonView(context, { left, right, table }))
        ),
      kernels: () => runningKernels(notebooks, trans),
      launch: launcher(app, browser),
      selected: () => Array.from(browser?.selectedItems() ?? [], item => item.name)
    };
    actions.views = context;
    const panel = new NuvoPanel(context);
    shell.add(panel, 'left', { rank: RANK });
    restorer?.add(panel, panel.id);

    commands.addCommand(CommandIDs.show, {
      label: trans.__('Show the Nuvo panel'),
      icon: nuvoIcon,
      execute: () => shell.activateById(panel.id)
    });

    let tab: MainAreaWidget<DistributeView> | null = null;
    commands.addCommand(CommandIDs.distribute, {
      label: trans.__('Distribute…'),
      icon: nuvoIcon,
      execute: () => {
        if (!tab || tab.isDisposed) {
          const content = new DistributeView(context);
          tab = new MainAreaWidget({ content });
          tab.id = 'nuvo-distribute-tab';
          shell.add(tab, 'main');
        }
        shell.activateById(tab.id);
      }
    });
    for (const command of [CommandIDs.show, CommandIDs.distribute]) {
      palette?.addItem({ command, category: trans.__('Nuvo') });
    }
  }
};
