import { ReactWidget, refreshIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { JSX } from 'react';

import { nuvoIcon } from '../icons';
import { attempt } from '../dialogs/report';
import { Applications } from './Applications';
import { type IViewContext, useNuvo, ViewContext } from './context';
import { StageSection } from './StageSection';
import { StateCard } from './StateCard';
import { Storage } from './Storage';
import { Tables } from './Tables';
import { Tasks } from './Tasks';
import { Timeline } from './Timeline';

/** The left sidebar. */
export class NuvoPanel extends ReactWidget {
  constructor(private readonly _context: IViewContext) {
    super();
    const { trans } = _context;
    this.id = 'nuvo-panel';
    this.title.icon = nuvoIcon;
    this.title.caption = trans.__('Nuvo: states, snapshots and distribution');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Nuvo'));
    this.addClass('nuvo-Panel');
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    // What happened while nobody looked was perhaps told by nobody.
    const { service, trans } = this._context;
    void attempt(() => service.refresh(), trans);
  }

  protected render(): JSX.Element {
    return (
      <ViewContext.Provider value={this._context}>
        <Head />
        <StateCard />
        <Timeline />
        <Tables />
        <Applications />
        <StageSection />
        <Tasks />
        <Storage />
      </ViewContext.Provider>
    );
  }
}

function Head(): JSX.Element {
  const { service, trans } = useNuvo();
  const label = trans.__('Refresh');
  return (
    <header className="nuvo-Head">
      <h1>{trans.__('Nuvo')}</h1>
      <button
        className="nuvo-IconButton"
        aria-label={label}
        title={label}
        onClick={() => void attempt(() => service.refresh(), trans)}
      >
        <refreshIcon.react tag="span" className="nuvo-Icon" />
      </button>
    </header>
  );
}
