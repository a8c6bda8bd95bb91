import type { TranslationBundle } from '@jupyterlab/translation';
import { type JSX, useId } from 'react';

import type { IRunningKernel } from '../kernels';
import type { Form } from './form';
import { TextField } from './snapshotForm';

/** What a new application is made of. */
export interface IApplicationWords {
  name: string;
  /** Which of the running kernels; `null` for the folder typed. */
  kernel: number | null;
  folder: string;
  variables: string;
  seal: boolean;
}

/** The form of a new application. */
export function applicationForm(
  trans: TranslationBundle,
  kernels: IRunningKernel[]
): Form<IApplicationWords> {
  return function ApplicationForm({ value, onChange }): JSX.Element {
    const id = useId();
    return (
      <>
        <TextField
          label={trans.__('Name')}
          value={value.name}
          onChange={name => onChange({ ...value, name })}
        />
        <div className="nuvo-Form-field">
          <label htmlFor={id}>{trans.__('Environment')}</label>
          <select
            id={id}
            className="jp-mod-styled"
            value={value.kernel ?? ''}
            onChange={event =>
              onChange({
                ...value,
                kernel: event.target.value === '' ? null : Number(event.target.value)
              })
            }
          >
            {kernels.map((kernel, index) => (
              <option key={index} value={index}>
                {trans.__('of the kernel of %1', kernel.title)}
              </option>
            ))}
            <option value="">{trans.__('in the folder below')}</option>
          </select>
        </div>
        {value.kernel === null && (
          <TextField
            label={trans.__('Folder of the environment')}
            hint={trans.__('As sys.prefix shows it, on the server.')}
            value={value.folder}
            onChange={folder => onChange({ ...value, folder })}
          />
        )}
        <TextField
          label={trans.__('Names of environment variables it expects (optional)')}
          hint={trans.__('Names only: their values are never captured.')}
          value={value.variables}
          onChange={variables => onChange({ ...value, variables })}
        />
        <div className="nuvo-Form-check">
          <input
            type="checkbox"
            id={`${id}-seal`}
            checked={value.seal}
            onChange={event => onChange({ ...value, seal: event.target.checked })}
          />
          <label htmlFor={`${id}-seal`}>
            {trans.__('Sealed: with all its packages, so that it needs no network')}
          </label>
        </div>
      </>
    );
  };
}
