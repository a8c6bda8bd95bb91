import type { JSX } from 'react';

import { OUTCOMES, outcomeWord } from '../words';
import { useNuvo } from './context';

/** How many objects met each outcome: `3 created, 1 merged`. */
export function Counts({ counts }: { counts: Record<string, number> }): JSX.Element | null {
  const { trans } = useNuvo();
  const told = OUTCOMES.filter(outcome => counts[outcome]);
  if (told.length === 0) {
    return null;
  }
  return (
    <span className="nuvo-Counts">
      {told.map(outcome => (
        <span key={outcome} data-outcome={outcome}>
          {counts[outcome]} {outcomeWord(outcome, trans)}
        </span>
      ))}
    </span>
  );
}
