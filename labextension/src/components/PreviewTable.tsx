import { type JSX, useState } from 'react';

import type { IPreview, ITargetPreview } from '../api/types';
import { OUTCOMES, outcomeWord } from '../words';
import { useNuvo } from './context';
import { Outcomes } from './Outcomes';
import { Problem } from './Problem';

/** What a distribution would do: targets × outcomes, each target's objects on demand. */
export function PreviewTable({ preview }: { preview: IPreview }): JSX.Element {
  const { trans } = useNuvo();
  const { targets } = preview;
  const told = OUTCOMES.filter(outcome => targets.some(target => target.counts[outcome]));
  return (
    <div className="nuvo-Preview">
      <table aria-label={trans.__('What would happen')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Instance')}</th>
            {told.map(outcome => (
              <th scope="col" key={outcome} className="nuvo-Number">
                {outcomeWord(outcome, trans)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {targets.map(target => (
            <TargetRows key={target.instance} target={target} told={told} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TargetRows(props: { target: ITargetPreview; told: string[] }): JSX.Element {
  const { target, told } = props;
  const { trans } = useNuvo();
  const [open, setOpen] = useState(false);
  return (
    <>
      <tr>
        <th scope="row">
          <button className="nuvo-Link" aria-expanded={open} onClick={() => setOpen(!open)}>
            {target.instance.split('/').pop()}
          </button>
        </th>
        {target.problem ? (
          <td colSpan={Math.max(told.length, 1)}>
            <Problem problem={target.problem} />
          </td>
        ) : (
          told.map(outcome => (
            <td key={outcome} className="nuvo-Number" data-outcome={outcome}>
              {target.counts[outcome] || <span aria-label={trans.__('none')}>·</span>}
            </td>
          ))
        )}
      </tr>
      {open && (
        <tr>
          <td colSpan={told.length + 1}>
            <Outcomes outcomes={target.outcomes} />
          </td>
        </tr>
      )}
    </>
  );
}
