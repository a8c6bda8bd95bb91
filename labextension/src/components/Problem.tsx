import { errorIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import type { IErrorBody } from '../api/error';

/** What went wrong, and what to do next. */
export function Problem({ problem }: { problem: IErrorBody }): JSX.Element {
  return (
    <div className="nuvo-Problem" role="alert">
      <errorIcon.react tag="span" className="nuvo-Icon" />
      <div>
        <div>{problem.message}</div>
        {problem.hint && <div className="nuvo-Hint">{problem.hint}</div>}
      </div>
    </div>
  );
}
