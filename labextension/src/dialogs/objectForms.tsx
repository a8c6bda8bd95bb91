import type { TranslationBundle } from '@jupyterlab/translation';
import { type JSX, useId } from 'react';

import type { Form } from './form';
import { TextField } from './snapshotForm';

/** A form of one name. */
export function nameForm(label: string, hint?: string): Form<{ name: string }> {
  return function NameForm({ value, onChange }): JSX.Element {
    return (
      <TextField
        label={label}
        hint={hint}
        value={value.name}
        onChange={name => onChange({ name })}
      />
    );
  };
}

/** Choose one of the snapshots listed. */
export function snapshotChoice(
  trans: TranslationBundle,
  choices: (readonly [reference: string, title: string])[],
  text: string
): Form<{ snapshot: string }> {
  return function SnapshotChoice({ value, onChange }): JSX.Element {
    const id = useId();
    return (
      <>
        <p>{text}</p>
        <div className="nuvo-Form-field">
          <label htmlFor={id}>{trans.__('Snapshot')}</label>
          <select
            id={id}
            className="jp-mod-styled"
            value={value.snapshot}
            onChange={event => onChange({ snapshot: event.target.value })}
          >
            {choices.map(([reference, title]) => (
              <option key={reference} value={reference}>
                {title}
              </option>
            ))}
          </select>
        </div>
      </>
    );
  };
}
