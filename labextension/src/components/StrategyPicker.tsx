import { type JSX, useId } from 'react';

import type { Strategy } from '../api/types';
import { strategies } from '../words';
import { useNuvo } from './context';

/** Choose how files meet what a target already has. */
export function StrategyPicker(props: {
  value: Strategy;
  onChange: (strategy: Strategy) => void;
}): JSX.Element {
  const { trans } = useNuvo();
  const name = useId();
  return (
    <fieldset className="nuvo-Fieldset">
      <legend>{trans.__('Where a target has another version of a file')}</legend>
      {strategies(trans).map(([strategy, word, effect]) => (
        <label key={strategy} className="nuvo-Choice">
          <input
            type="radio"
            name={name}
            value={strategy}
            checked={props.value === strategy}
            onChange={() => props.onChange(strategy)}
          />
          <span>
            <b>{word}</b> <span className="nuvo-Muted">{effect}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
