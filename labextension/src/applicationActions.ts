import type { TranslationBundle } from '@jupyterlab/translation';

import type { Actions } from './actions';
import { call } from './api/operations';
import { whenEnded } from './api/reports';
import type { IApplication, ISnapshot } from './api/types';
import { applicationForm, type IApplicationWords } from './dialogs/applicationForm';
import { askConfirm, askForm } from './dialogs/form';
import { nameForm } from './dialogs/objectForms';
import { attempt } from './dialogs/report';
import { applicationPath } from './formats';
import type { IRunningKernel } from './kernels';

/** What a build may be asked to do although the server warned of it. */
interface IAllowed {
  any_python?: boolean;
  confirmed?: boolean;
}

/** What users do with applications. */
export class ApplicationActions {
  constructor(private readonly _base: Actions) {}

  /** Capture the environment of a running kernel or of a folder. */
  async add(kernels: IRunningKernel[]): Promise<void> {
    const trans = this._trans;
    const words = await askForm<IApplicationWords>(
      {
        title: trans.__('Add an application'),
        accept: trans.__('Add'),
        initial: {
          name: '',
          kernel: kernels.length ? 0 : null,
          folder: '',
          variables: '',
          seal: false
        },
        form: applicationForm(trans, kernels)
      },
      trans
    );
    const instance = this._instance;
    if (!words || !instance) {
      return;
    }
    await this._base.start(async () => {
      const { server } = this._base.service;
      const prefix =
        words.kernel === null ? words.folder.trim() : await kernels[words.kernel].prefix();
      const variables = words.variables.split(/[\s,]+/).filter(name => name);
      const { seal } = words;
      const request = { instance, name: words.name.trim(), prefix, variables, seal };
      return this._base.begun(call(server, 'post', '/applications', request));
    });
  }

  /** Build an application's environment; what the server warns of is asked back. */
  async build(application: IApplication, allowed: IAllowed = {}): Promise<void> {
    const trans = this._trans;
    const { server } = this._base.service;
    const instance = this._instance;
    if (!instance) {
      return;
    }
    const { name } = application;
    const ended = await attempt(async () => {
      const request = { instance, name, ...allowed };
      const asked = call(server, 'post', '/application/build', request);
      return whenEnded(server, await this._base.begun(asked));
    }, trans);
    if (!ended) {
      return;
    }
    const allowing = this._allowing(ended.problem?.code);
    if (!ended.problem || !allowing || Object.keys(allowing).every(key => key in allowed)) {
      this._base.tell(ended);
      return;
    }
    const title = trans.__('Build “%1” all the same?', name);
    const { message, hint } = ended.problem;
    const body = hint ? `${message} ${hint}` : message;
    if (await askConfirm({ title, body, accept: trans.__('Build'), warn: true }, trans)) {
      await this.build(application, { ...allowed, ...allowing });
    }
  }

  async rename(application: IApplication): Promise<void> {
    const trans = this._trans;
    const { name } = application;
    const answer = await askForm(
      {
        title: trans.__('Rename the application'),
        accept: trans.__('Rename'),
        initial: { name },
        form: nameForm(trans.__('Name'))
      },
      trans
    );
    const instance = this._instance;
    if (answer && instance) {
      const request = { instance, name, new: answer.name.trim() };
      await this._change(() => call(this._base.service.server, 'patch', '/application', request));
    }
  }

  async delete(application: IApplication): Promise<void> {
    const trans = this._trans;
    const { name } = application;
    const body = trans.__(
      '“%1” and its kernel are deleted from the current state. Snapshots that hold it keep it. The environment it was captured from stays where it is.',
      name
    );
    const title = trans.__('Delete this application?');
    const instance = this._instance;
    const accept = trans.__('Delete');
    if (instance && (await askConfirm({ title, body, accept, warn: true }, trans))) {
      await this._change(() =>
        call(this._base.service.server, 'delete', '/application', { instance, name })
      );
    }
  }

  stage(application: IApplication): Promise<void> {
    return this._base.stageObjects([{ path: application.name, kind: 'application' }]);
  }

  /** Put an application back as a snapshot has it. */
  restore(name: string, from: ISnapshot): Promise<void> {
    return this._base.restore(from, [applicationPath(name)]);
  }

  private _allowing(code: string | undefined): IAllowed | null {
    switch (code) {
      case 'python_unsuitable':
        return { any_python: true };
      case 'confirmation_needed':
        return { confirmed: true };
      default:
        return null;
    }
  }

  private async _change(work: () => Promise<unknown>): Promise<void> {
    await attempt(work, this._trans);
    this._base.service.objects.refresh();
  }

  private get _instance(): string | undefined {
    return this._base.service.state.instance?.reference;
  }

  private get _trans(): TranslationBundle {
    return this._base.trans;
  }
}
