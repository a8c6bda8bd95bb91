import type { JSX } from 'react';

/** A bar of what something alone needs and of what it shares, as long as its part of the longest. */
export function UsageBar(props: { held: number; alone: number; longest: number }): JSX.Element {
  const { held, alone, longest } = props;
  const wide = (bytes: number): { width: string } => ({ width: `${(100 * bytes) / longest}%` });
  return (
    <span className="nuvo-Usage-bar" aria-hidden="true">
      <span className="nuvo-Usage-alone" style={wide(alone)} />
      <span className="nuvo-Usage-shared" style={wide(held - alone)} />
    </span>
  );
}
