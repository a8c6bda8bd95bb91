import type { JSX } from 'react';

import type { ISnapshot } from '../api/types';
import { type IViewContext, ViewContext } from '../components/context';
import { RestorePreview } from '../components/RestorePreview';
import type { Form } from './form';

/** What is to be restored, and what that would do. */
export function restoreForm(
  context: IViewContext | null,
  text: string,
  snapshot: ISnapshot,
  paths: string[]
): Form<{ sure: boolean }> {
  return function RestoreForm(): JSX.Element {
    return (
      <>
        <p>{text}</p>
        {context && (
          <ViewContext.Provider value={context}>
            <RestorePreview snapshot={snapshot} paths={paths} />
          </ViewContext.Provider>
        )}
      </>
    );
  };
}
