import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import type { Form } from './form';
import { TextField } from './snapshotForm';

/** What a crate says about itself. */
export interface ICrateWords {
  title: string;
  authors: string;
  license: string;
  description: string;
}

/** The form of an export. */
export function crateForm(trans: TranslationBundle): Form<ICrateWords> {
  return function CrateForm({ value, onChange }): JSX.Element {
    return (
      <>
        <p>
          {trans.__(
            'The file is an RO-Crate: files, tables and applications with what is needed to read them elsewhere. Nuvo imports it again; repo2docker and Binder start it.'
          )}
        </p>
        <TextField
          label={trans.__('Title (optional)')}
          value={value.title}
          onChange={title => onChange({ ...value, title })}
        />
        <TextField
          long
          label={trans.__('Authors, one per line')}
          value={value.authors}
          onChange={authors => onChange({ ...value, authors })}
        />
        <TextField
          label={trans.__('Licence: a web address or a sentence')}
          value={value.license}
          onChange={license => onChange({ ...value, license })}
        />
        <TextField
          long
          label={trans.__('Description')}
          value={value.description}
          onChange={description => onChange({ ...value, description })}
        />
      </>
    );
  };
}

/** The form of an import. */
export function importForm(trans: TranslationBundle, instance: string): Form<{ name: string }> {
  return function ImportForm({ value, onChange }): JSX.Element {
    return (
      <>
        <p>
          {trans.__(
            'It becomes a snapshot of %1; the current state stays as it is. Everything in it is verified first.',
            instance
          )}
        </p>
        <TextField
          label={trans.__('Name of the snapshot (optional)')}
          value={value.name}
          onChange={name => onChange({ name })}
        />
      </>
    );
  };
}
