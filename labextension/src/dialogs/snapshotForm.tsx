import type { TranslationBundle } from '@jupyterlab/translation';
import { type JSX, useId } from 'react';

import type { ISnapshotWords } from '../tokens';
import type { Form } from './form';

export type SnapshotWords = Required<ISnapshotWords>;

/** The form of a described snapshot. */
export function snapshotForm(trans: TranslationBundle): Form<SnapshotWords> {
  return function SnapshotForm({ value, onChange }): JSX.Element {
    const id = useId();
    return (
      <>
        <TextField
          label={trans.__('Name (optional)')}
          value={value.name}
          onChange={name => onChange({ ...value, name })}
        />
        <TextField
          long
          label={trans.__('What was done')}
          value={value.description}
          onChange={description => onChange({ ...value, description })}
        />
        <TextField
          long
          label={trans.__('What comes next')}
          hint={trans.__('Becomes the description of the current state.')}
          value={value.next_description}
          onChange={next_description => onChange({ ...value, next_description })}
        />
        <div className="nuvo-Form-check">
          <input
            type="checkbox"
            id={id}
            checked={value.final}
            onChange={event => onChange({ ...value, final: event.target.checked })}
          />
          <label htmlFor={id}>{trans.__('No work is expected in the next stage')}</label>
        </div>
      </>
    );
  };
}

/** The form to rename or describe a snapshot that exists. */
export function renameForm(trans: TranslationBundle): Form<{ name: string; description: string }> {
  return function RenameForm({ value, onChange }): JSX.Element {
    return (
      <>
        <TextField
          label={trans.__('Name')}
          value={value.name}
          onChange={name => onChange({ ...value, name })}
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

/** A labelled input, of one line or of several. */
export function TextField(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  long?: boolean;
  hint?: string;
}): JSX.Element {
  const id = useId();
  const field = {
    id,
    value: props.value,
    className: 'jp-mod-styled',
    'aria-describedby': props.hint ? `${id}-hint` : undefined
  };
  return (
    <div className="nuvo-Form-field">
      <label htmlFor={id}>{props.label}</label>
      {props.long ? (
        <textarea {...field} rows={3} onChange={event => props.onChange(event.target.value)} />
      ) : (
        <input
          {...field}
          type="text"
          maxLength={200}
          onChange={event => props.onChange(event.target.value)}
        />
      )}
      {props.hint && (
        <div id={`${id}-hint`} className="nuvo-Hint">
          {props.hint}
        </div>
      )}
    </div>
  );
}
