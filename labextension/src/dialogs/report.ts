import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IErrorBody } from '../api/error';
import { NuvoError } from '../api/error';

// JupyterLab cuts longer notifications.
const ROOM = 140;

/** Tell the user what went wrong and what to do next. */
export function reportProblem(problem: IErrorBody, trans: TranslationBundle): void {
  const text = problem.hint ? `${problem.message} ${problem.hint}` : problem.message;
  const details: Notification.IAction = {
    label: trans.__('Details'),
    callback: () =>
      void showDialog({
        title: trans.__('Nuvo could not do that'),
        body: text,
        buttons: [Dialog.okButton({ label: trans.__('Close') })]
      })
  };
  Notification.error(text, {
    autoClose: false,
    actions: text.length > ROOM ? [details] : []
  });
}

/** Do something for the user; if it fails, tell them and answer `undefined`. */
export async function attempt<T>(
  work: () => Promise<T>,
  trans: TranslationBundle
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const problem = NuvoError.of(error);
    reportProblem(problem, trans);
    return undefined;
  }
}
