import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { nuvoIcon } from '../icons';
import { INuvoActions, INuvoService } from '../tokens';

namespace CommandIDs {
  export const takeSnapshot = 'nuvo:take-snapshot';
  export const describeSnapshot = 'nuvo:describe-snapshot';
}

/** Adds the commands of the palette; their shortcuts are in schema/commands.json. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nuvo-jupyter:commands',
  description: 'Commands that take snapshots of the instance shown in the file browser.',
  autoStart: true,
  requires: [INuvoService, INuvoActions],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    service: INuvoService,
    actions: INuvoActions,
    palette: ICommandPalette | null
  ) => {
    const { commands } = app;
    const { trans } = actions;
    const isEnabled = () =>
      service.state.instance
        ? service.state.may('instance editor')
        : service.state.located !== null;
    commands.addCommand(CommandIDs.takeSnapshot, {
      label: trans.__('Take a snapshot'),
      icon: nuvoIcon,
      isEnabled,
      execute: () => actions.takeSnapshot()
    });
    commands.addCommand(CommandIDs.describeSnapshot, {
      label: trans.__('Take a snapshot with a description…'),
      icon: nuvoIcon,
      isEnabled,
      execute: () => actions.describeSnapshot()
    });
    for (const command of [CommandIDs.takeSnapshot, CommandIDs.describeSnapshot]) {
      palette?.addItem({ command, category: trans.__('Nuvo') });
    }
    service.state.changed.connect(() => commands.notifyCommandChanged());
  }
};
