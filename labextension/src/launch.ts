import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';

/** Opens notebooks and consoles with a kernel, in the folder shown. */
export function launcher(
  app: JupyterFrontEnd,
  browser: IDefaultFileBrowser | null
): (what: 'notebook' | 'console', kernel: string) => Promise<void> {
  return async (what, kernel) => {
    // A kernel that was just installed is not known to the page yet.
    await app.serviceManager.kernelspecs.refreshSpecs();
    const cwd = browser?.model.path ?? '';
    if (what === 'notebook') {
      await app.commands.execute('notebook:create-new', { kernelName: kernel, cwd });
    } else {
      const kernelPreference = { name: kernel };
      await app.commands.execute('console:create', { kernelPreference, cwd, activate: true });
    }
  };
}
