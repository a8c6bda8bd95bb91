import { Button } from '@jupyterlab/ui-components';
import { type JSX, useId, useState } from 'react';

import { call } from '../api/operations';
import type { IStage, IStagedObject, ObjectKind } from '../api/types';
import { TextField } from '../dialogs/snapshotForm';
import { instanceOf, objectName, spaceOf } from '../formats';
import type { IDistributeRequest, IStrategies } from '../tokens';
import { useAsked, useModel, useNuvo } from './context';
import { Problem } from './Problem';
import { ObjectStrategies } from './ObjectStrategies';
import { StrategyPicker } from './StrategyPicker';
import { TargetPicker } from './TargetPicker';

/** Says what is distributed, to whom and how; a preview or the distribution itself is asked for. */
export function DistributeForm(props: {
  busy: boolean;
  onChange: () => void;
  onPreview: (request: IDistributeRequest) => void;
  onDistribute: (request: IDistributeRequest) => void;
}): JSX.Element {
  const { service, trans } = useNuvo();
  const { stage } = useModel(service.stage);
  const { instance } = useModel(service.state);
  const [wanted, setWhole] = useState(false);
  const [all, setAll] = useState(true);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [strategies, setStrategies] = useState<IStrategies>({
    file: 'overwrite',
    table: 'overwrite',
    application: 'overwrite',
    append_rows: false,
    key: []
  });
  const [message, setMessage] = useState('');
  const [onlyFiles, setOnlyFiles] = useState(false);
  const [notify, setNotify] = useState(false);
  const whole = wanted || stage.objects.length === 0;
  const source = (whole ? instance?.reference : stage.state) ?? '';
  const space = spaceOf(source);
  const { answer, problem } = useAsked(
    () => (space ? call(service.server, 'get', '/instances', { space }) : Promise.resolve([])),
    space
  );
  const instances = (answer ?? []).filter(
    one =>
      one.kind !== 'distributed' &&
      one.kind !== 'master' &&
      one.reference !== instanceOf(source) &&
      !one.archived
  );
  const changed =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      set(value);
      props.onChange();
    };
  const request: IDistributeRequest = {
    source,
    whole,
    objects: whole ? null : stage.objects,
    to: all ? ['all'] : [...chosen],
    strategies,
    onlyFiles,
    message,
    notify
  };
  const ready = source !== '' && (all || chosen.size > 0) && !props.busy;
  return (
    <form className="nuvo-Distribute-form" onSubmit={event => event.preventDefault()}>
      <WhatPicker
        stage={stage}
        whole={whole}
        current={instance?.reference}
        onChange={changed(setWhole)}
      />
      {problem && <Problem problem={problem} />}
      <TargetPicker
        instances={instances}
        all={all}
        chosen={chosen}
        onChange={(toAll, targets) => {
          changed(setAll)(toAll);
          setChosen(targets);
        }}
      />
      <StrategyPicker
        value={strategies.file}
        onChange={file => changed(setStrategies)({ ...strategies, file })}
      />
      <Check value={onlyFiles} onChange={changed(setOnlyFiles)}>
        {trans.__('Only files: leave tables and applications out')}
      </Check>
      {!onlyFiles && (
        <ObjectStrategies
          kinds={kindsOf(whole ? null : stage.objects)}
          value={strategies}
          onChange={changed(setStrategies)}
        />
      )}
      <TextField
        long
        label={trans.__('Message to the targets (optional)')}
        value={message}
        onChange={setMessage}
      />
      <Check value={notify} onChange={setNotify}>
        {trans.__('Notify the targets’ users')}
      </Check>
      <div className="nuvo-Buttons">
        <Button
          type="button"
          className="jp-mod-styled"
          disabled={!ready}
          onClick={() => props.onPreview(request)}
        >
          {trans.__('Preview')}
        </Button>
        <Button
          type="button"
          className="jp-mod-styled jp-mod-accept"
          disabled={!ready}
          onClick={() => props.onDistribute(request)}
        >
          {trans.__('Distribute')}
        </Button>
      </div>
    </form>
  );
}

/** The kinds besides files that are staged; a whole state may hold any. */
function kindsOf(objects: IStagedObject[] | null): ObjectKind[] {
  const kinds: ObjectKind[] = ['table', 'application'];
  return kinds.filter(kind => !objects || objects.some(one => one.kind === kind));
}

function WhatPicker(props: {
  stage: IStage;
  whole: boolean;
  current?: string;
  onChange: (whole: boolean) => void;
}): JSX.Element {
  const { stage, whole } = props;
  const { trans } = useNuvo();
  const name = useId();
  const count = stage.objects.length;
  return (
    <fieldset className="nuvo-Fieldset">
      <legend>{trans.__('What')}</legend>
      <label className="nuvo-Choice">
        <input
          type="radio"
          name={name}
          checked={!whole}
          disabled={count === 0}
          onChange={() => props.onChange(false)}
        />
        <span>
          {trans._n('%1 staged object', '%1 staged objects', count)}
          {count > 0 && (
            <span className="nuvo-Muted">
              {' '}
              {trans.__(
                'from %1: %2',
                stage.state ?? '',
                stage.objects.map(({ kind, path }) => objectName(kind, path)).join(', ')
              )}
            </span>
          )}
        </span>
      </label>
      <label className="nuvo-Choice">
        <input
          type="radio"
          name={name}
          checked={whole}
          disabled={!props.current}
          onChange={() => props.onChange(true)}
        />
        {trans.__('The whole current state of %1', props.current ?? trans.__('no instance'))}
      </label>
    </fieldset>
  );
}

function Check(props: {
  value: boolean;
  onChange: (value: boolean) => void;
  children: string;
}): JSX.Element {
  return (
    <label className="nuvo-Choice">
      <input
        type="checkbox"
        checked={props.value}
        onChange={event => props.onChange(event.target.checked)}
      />
      {props.children}
    </label>
  );
}
