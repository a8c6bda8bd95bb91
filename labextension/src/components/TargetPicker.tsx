import { type JSX, useId, useState } from 'react';

import type { IInstance } from '../api/types';
import { useNuvo } from './context';

/** Choose all instances of the space, or some by their names. */
export function TargetPicker(props: {
  instances: IInstance[];
  all: boolean;
  chosen: ReadonlySet<string>;
  onChange: (all: boolean, chosen: ReadonlySet<string>) => void;
}): JSX.Element {
  const { instances, all, chosen, onChange } = props;
  const { trans } = useNuvo();
  const name = useId();
  const [filter, setFilter] = useState('');
  const shown = instances.filter(one => matches(one, filter));
  const toggle = (reference: string) => {
    const next = new Set(chosen);
    if (!next.delete(reference)) {
      next.add(reference);
    }
    onChange(false, next);
  };
  const ofAll = shown.length < instances.length ? shown : instances;
  return (
    <fieldset className="nuvo-Fieldset">
      <legend>{trans.__('To')}</legend>
      <label className="nuvo-Choice">
        <input type="radio" name={name} checked={all} onChange={() => onChange(true, chosen)} />
        {trans.__('All instances (%1), and everybody who joins later', instances.length)}
      </label>
      <label className="nuvo-Choice">
        <input type="radio" name={name} checked={!all} onChange={() => onChange(false, chosen)} />
        {trans.__('Chosen instances')}
      </label>
      {!all && (
        <div className="nuvo-Targets">
          <div className="nuvo-Targets-head">
            <input
              type="search"
              className="jp-mod-styled"
              value={filter}
              placeholder={trans.__('Filter by name')}
              aria-label={trans.__('Filter instances by name')}
              onChange={event => setFilter(event.target.value)}
            />
            <button
              className="jp-mod-styled"
              onClick={() => onChange(false, new Set([...chosen, ...ofAll.map(i => i.reference)]))}
            >
              {trans.__('Choose shown')}
            </button>
            <button className="jp-mod-styled" onClick={() => onChange(false, new Set())}>
              {trans.__('None')}
            </button>
            <span className="nuvo-Muted" role="status">
              {trans.__('%1 chosen', chosen.size)}
            </span>
          </div>
          <ul className="nuvo-List nuvo-Targets-list" aria-label={trans.__('Instances')}>
            {shown.map(one => (
              <li key={one.reference}>
                <label className="nuvo-Choice">
                  <input
                    type="checkbox"
                    checked={chosen.has(one.reference)}
                    onChange={() => toggle(one.reference)}
                  />
                  <span>{one.name}</span>
                  <span className="nuvo-Muted">{peopleOf(one)}</span>
                </label>
              </li>
            ))}
          </ul>
        </div>
      )}
    </fieldset>
  );
}

function peopleOf(instance: IInstance): string {
  const names = instance.people.map(member => member.person.name || member.person.username);
  return names.filter(name => name !== instance.name).join(', ');
}

function matches(instance: IInstance, filter: string): boolean {
  const text = `${instance.name} ${peopleOf(instance)}`.toLocaleLowerCase();
  return text.includes(filter.trim().toLocaleLowerCase());
}
