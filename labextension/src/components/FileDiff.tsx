import type { JSX } from 'react';

import { call } from '../api/operations';
import { useAsked, useNuvo } from './context';
import { Problem } from './Problem';

const SHOWN = 400;

/** How one file differs between two states, line by line. */
export function FileDiff({ left, right }: { left: string; right: string }): JSX.Element {
  const { service, trans } = useNuvo();
  const { answer, problem } = useAsked(
    () => call(service.server, 'get', '/diff', { left, right }),
    `${left} ${right}`
  );
  if (problem) {
    return <Problem problem={problem} />;
  }
  if (!answer) {
    return <p className="nuvo-Muted">{trans.__('Loading…')}</p>;
  }
  if (!answer.unified) {
    return (
      <p className="nuvo-Muted">
        {answer.kind === 'binary'
          ? trans.__('Not text: the difference cannot be shown.')
          : trans.__('The contents are the same.')}
      </p>
    );
  }
  const lines = answer.unified.split('\n');
  return (
    <pre className="nuvo-Diff" tabIndex={0} aria-label={trans.__('Changed lines')}>
      {lines.slice(0, SHOWN).map((line, index) => (
        <div key={index} data-line={kindOf(line)}>
          {line}
        </div>
      ))}
      {lines.length > SHOWN && <div>{trans.__('… and %1 more', lines.length - SHOWN)}</div>}
    </pre>
  );
}

function kindOf(line: string): string {
  if (line.startsWith('+++') || line.startsWith('---') || line.startsWith('@@')) {
    return 'place';
  }
  return { '+': 'added', '-': 'removed' }[line[0]] ?? 'same';
}
