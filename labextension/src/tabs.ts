import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';

/** Tabs of the main area, each shown once. */
export class Tabs {
  constructor(private readonly _shell: JupyterFrontEnd.IShell) {}

  /** Bring the tab of this name to the front; it is made if it is not open. */
  async show(name: string, make: () => Promise<Widget>): Promise<void> {
    let tab = this._open.get(name);
    if (!tab || tab.isDisposed) {
      const content = await make();
      const made = new MainAreaWidget({ content });
      // Told apart from other tabs by more than being one.
      content.node.setAttribute('aria-label', content.title.caption);
      made.id = `nuvo-tab-${++this._made}`;
      made.title.closable = true;
      made.toolbar.hide();
      made.disposed.connect(() => this._open.delete(name));
      this._open.set(name, made);
      this._shell.add(made, 'main');
      tab = made;
    }
    this._shell.activateById?.(tab.id);
  }

  private readonly _open = new Map<string, MainAreaWidget>();
  private _made = 0;
}
