import { Button, closeIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import { objectName } from '../formats';
import { attempt } from '../dialogs/report';
import { useModel, useNuvo } from './context';
import { KindIcon } from './KindIcon';
import { Section } from './Section';

/** The user's stage: what a distribution will send. */
export function StageSection(): JSX.Element {
  const { service, trans, distribute } = useNuvo();
  const { stage } = useModel(service.stage);
  const { objects } = stage;
  return (
    <Section title={trans.__('Stage')} count={objects.length}>
      {objects.length === 0 ? (
        <p className="nuvo-Muted">
          {trans.__(
            'Nothing staged. Right-click files in the file browser and choose “Stage for distribution”.'
          )}
        </p>
      ) : (
        <p className="nuvo-Muted">{trans.__('From %1', stage.state ?? '')}</p>
      )}
      <ul className="nuvo-List" aria-label={trans.__('Staged objects')}>
        {objects.map(object => {
          const name = objectName(object.kind, object.path);
          const label = trans.__('Take %1 off the stage', name);
          return (
            <li key={`${object.kind} ${object.path}`} className="nuvo-Entry">
              <KindIcon kind={object.kind} />
              <span className="nuvo-Entry-name" title={object.path}>
                {name}
              </span>
              <button
                className="nuvo-IconButton"
                aria-label={label}
                title={label}
                onClick={() => void attempt(() => service.stage.remove(object), trans)}
              >
                <closeIcon.react tag="span" className="nuvo-Icon" />
              </button>
            </li>
          );
        })}
      </ul>
      <StageButtons empty={objects.length === 0} distribute={distribute} />
    </Section>
  );
}

function StageButtons(props: { empty: boolean; distribute: () => void }): JSX.Element {
  const { service, actions, trans, selected } = useNuvo();
  return (
    <div className="nuvo-Buttons">
      <Button className="jp-mod-styled" onClick={() => void actions.stage(selected())}>
        {trans.__('Add selected')}
      </Button>
      <Button className="jp-mod-styled" onClick={props.distribute}>
        {trans.__('Distribute…')}
      </Button>
      {!props.empty && (
        <Button
          className="jp-mod-styled"
          onClick={() => void attempt(() => service.stage.clear(), trans)}
        >
          {trans.__('Clear')}
        </Button>
      )}
    </div>
  );
}
