import type { FileBrowserModel } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';

/** A file that was put into the folder shown, under a name of its own. */
export interface IUploaded {
  /** Its name there. */
  name: string;
  /** Take it away again. */
  remove(): Promise<void>;
}

export type Upload = (file: File) => Promise<IUploaded>;

/** Uploads into the folder that a file browser shows, piece by piece as it does itself. */
export function uploadTo(browser: FileBrowserModel, contents: Contents.IManager): Upload {
  return async file => {
    const mark = Math.random().toString(36).slice(2, 10);
    const name = `upload-${mark}-${file.name}`;
    const put = await browser.upload(new File([file], name));
    return { name, remove: () => contents.delete(put.path) };
  };
}

/** Let the user choose a file of their computer; `null` if they change their mind. */
export function chooseFile(accept: string): Promise<File | null> {
  return new Promise(resolve => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = accept;
    input.addEventListener('change', () => resolve(input.files?.[0] ?? null));
    input.addEventListener('cancel', () => resolve(null));
    input.click();
  });
}
