import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { NuvoError } from './api/error';

// In hexadecimal, what Python shows of it needs no unquoting.
const PREFIX = "__import__('sys').prefix.encode().hex()";

/** A kernel that runs for an open notebook. */
export interface IRunningKernel {
  title: string;

  /**
   * The folder of its environment, as the kernel itself says.
   *
   * @throws NuvoError if it is busy or does not run Python.
   */
  prefix(): Promise<string>;
}

/** The kernels of the notebooks that are open, the one in front first. */
export function runningKernels(
  notebooks: INotebookTracker | null,
  trans: TranslationBundle
): IRunningKernel[] {
  const found: IRunningKernel[] = [];
  notebooks?.forEach(panel => {
    const kernel = panel.sessionContext.session?.kernel;
    if (kernel) {
      const title = `${panel.title.label} (${panel.sessionContext.kernelDisplayName})`;
      const one = { title, prefix: () => prefixOf(kernel, title, trans) };
      if (panel === notebooks.currentWidget) {
        found.unshift(one);
      } else {
        found.push(one);
      }
    }
  });
  return found;
}

async function prefixOf(
  kernel: Kernel.IKernelConnection,
  title: string,
  trans: TranslationBundle
): Promise<string> {
  if (kernel.status === 'busy') {
    const message = trans.__('The kernel of %1 is busy.', title);
    throw new NuvoError(0, 'not_now', message, trans.__('Try again when its cell has finished.'));
  }
  const asked = kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    allow_stdin: false,
    user_expressions: { prefix: PREFIX }
  });
  const { content } = await asked.done;
  const said =
    content.status === 'ok'
      ? (content.user_expressions.prefix as { data?: Record<string, string> } | undefined)
      : undefined;
  const hex = /^'([0-9a-f]+)'$/.exec(said?.data?.['text/plain'] ?? '')?.[1];
  if (!hex) {
    const message = trans.__(
      'The kernel of %1 does not say which Python environment it runs in.',
      title
    );
    throw new NuvoError(0, 'invalid_input', message, trans.__('Type the environment’s folder.'));
  }
  const bytes = hex.match(/../g)!.map(pair => parseInt(pair, 16));
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
