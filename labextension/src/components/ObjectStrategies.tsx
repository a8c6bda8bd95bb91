import { type JSX, useId } from 'react';

import type { ObjectKind, Strategy } from '../api/types';
import { TextField } from '../dialogs/snapshotForm';
import type { IStrategies } from '../tokens';
import { objectStrategies } from '../words';
import { useNuvo } from './context';

/** Stands for `merge` that goes into a table's rows, which is only done where it is asked for. */
const ROWS = 'rows';

/** Choose how tables and applications, each as a whole, meet what a target already has. */
export function ObjectStrategies(props: {
  kinds: ObjectKind[];
  value: IStrategies;
  onChange: (strategies: IStrategies) => void;
}): JSX.Element | null {
  const { kinds, value, onChange } = props;
  const { trans } = useNuvo();
  const id = useId();
  const labels = {
    file: trans.__('Files'),
    table: trans.__('Tables'),
    application: trans.__('Applications')
  };
  if (kinds.length === 0) {
    return null;
  }
  const choose = (kind: ObjectKind, chosen: string) => {
    const strategy = (chosen === ROWS ? 'merge' : chosen) as Strategy;
    const rows = kind === 'table' ? { append_rows: chosen === ROWS } : {};
    onChange({ ...value, ...rows, [kind]: strategy });
  };
  return (
    <div className="nuvo-Strategies">
      {kinds.map(kind => (
        <div key={kind} className="nuvo-Field">
          <label htmlFor={`${id}-${kind}`}>{labels[kind]}</label>
          <select
            id={`${id}-${kind}`}
            value={kind === 'table' && value.append_rows ? ROWS : value[kind]}
            onChange={event => choose(kind, event.target.value)}
          >
            {objectStrategies(trans).map(([strategy, words]) => (
              <option key={strategy} value={strategy}>
                {words}
              </option>
            ))}
            {kind === 'table' && (
              <option value={ROWS}>
                {trans.__('Merge rows: add those that are missing, by key; keep the target’s own')}
              </option>
            )}
          </select>
        </div>
      ))}
      {kinds.includes('table') && value.append_rows && (
        <TextField
          label={trans.__('Columns that tell rows apart')}
          hint={trans.__('Separated by commas; only for tables without a primary key.')}
          value={value.key.join(', ')}
          onChange={text => onChange({ ...value, key: text.split(/,\s*/) })}
        />
      )}
    </div>
  );
}
