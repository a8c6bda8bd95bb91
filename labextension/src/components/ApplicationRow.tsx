import { Button, kernelIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import type { IApplication } from '../api/types';
import { useNuvo } from './context';
import { Disclosure } from './Section';

/** One application; opened, its packages, what is wrong with it, and what can be done. */
export function ApplicationRow({ application }: { application: IApplication }): JSX.Element {
  const { trans } = useNuvo();
  const { definition, name, packages } = application;
  const problems = definition.problems ?? [];
  const head = (
    <>
      <kernelIcon.react tag="span" className="nuvo-Icon" />
      <span className="nuvo-Row-text">
        <span className="nuvo-Row-title" title={name}>
          {name}
        </span>
        <span className="nuvo-Row-sub">
          {application.problem ||
            `${trans.__('Python %1', definition.python.version)} · ${trans._n('%1 package', '%1 packages', packages.length)}`}
        </span>
        {(application.pending || definition.sealed || !definition.complete) && (
          <span className="nuvo-Badges">
            {application.pending && (
              <span className="nuvo-Badge" data-kind="attention">
                {trans.__('to be built')}
              </span>
            )}
            {!definition.complete && (
              <span className="nuvo-Badge" data-kind="attention" title={problems[0]?.reason}>
                {trans.__('not complete')}
              </span>
            )}
            {definition.sealed && <span className="nuvo-Badge">{trans.__('sealed')}</span>}
          </span>
        )}
      </span>
    </>
  );
  return (
    <Disclosure className="nuvo-Row" head={head}>
      {() => <ApplicationBody application={application} />}
    </Disclosure>
  );
}

function ApplicationBody({ application }: { application: IApplication }): JSX.Element {
  const { trans } = useNuvo();
  const { definition, packages } = application;
  const problems = definition.problems ?? [];
  return (
    <div className="nuvo-Row-body">
      <ApplicationButtons application={application} />
      {problems.length > 0 && (
        <>
          <h3 className="nuvo-Subhead">{trans.__('Not captured completely')}</h3>
          <ul className="nuvo-List nuvo-Reasons" aria-label={trans.__('Not captured completely')}>
            {problems.map((problem, index) => (
              <li key={index}>
                <b>{problem.package || trans.__('The environment')}</b> {problem.reason}
              </li>
            ))}
          </ul>
        </>
      )}
      <Disclosure
        head={<span>{trans.__('Details')}</span>}
        label={trans.__('Details of %1', application.name)}
      >
        {() => <Details application={application} />}
      </Disclosure>
      <Disclosure
        head={<span>{trans._n('%1 package', '%1 packages', packages.length)}</span>}
        label={trans.__('Packages of %1', application.name)}
      >
        {() => (
          <ul className="nuvo-List nuvo-Packages" aria-label={trans.__('Packages')}>
            {packages.map(one => (
              <li key={one.name} className="nuvo-Entry">
                <span className="nuvo-Entry-name" title={one.name}>
                  {one.name}
                </span>
                <span className="nuvo-Muted">{one.version}</span>
              </li>
            ))}
          </ul>
        )}
      </Disclosure>
    </div>
  );
}

function Details({ application }: { application: IApplication }): JSX.Element {
  const { trans } = useNuvo();
  const { argv, definition, prefix } = application;
  const { python } = definition;
  const libc = python.libc ? ` (${python.libc})` : '';
  return (
    <dl className="nuvo-References">
      <dt>{trans.__('Platform')}</dt>
      <dd>{`${python.system} ${python.machine}${libc}`}</dd>
      <dt>{trans.__('Kernel')}</dt>
      <dd>
        <code>{argv.join(' ')}</code>
      </dd>
      {prefix && (
        <>
          <dt>{trans.__('Environment')}</dt>
          <dd>
            <code>{prefix}</code>
          </dd>
        </>
      )}
      {(definition.variables ?? []).length > 0 && (
        <>
          <dt>{trans.__('Variables')}</dt>
          <dd>{definition.variables?.join(', ')}</dd>
        </>
      )}
      {(definition.left_out ?? []).length > 0 && (
        <>
          <dt>{trans.__('Left out')}</dt>
          <dd>{definition.left_out?.join(', ')}</dd>
        </>
      )}
    </dl>
  );
}

function ApplicationButtons({ application }: { application: IApplication }): JSX.Element {
  const { actions, launch, service, trans } = useNuvo();
  const { applications } = actions;
  const { kernel } = application;
  const editor = service.state.may('instance editor');
  return (
    <div className="nuvo-Buttons">
      {kernel && (
        <>
          <Button className="jp-mod-styled" onClick={() => void launch('notebook', kernel)}>
            {trans.__('Notebook')}
          </Button>
          <Button className="jp-mod-styled" onClick={() => void launch('console', kernel)}>
            {trans.__('Console')}
          </Button>
        </>
      )}
      {editor && (application.pending || (!kernel && application.argv.length > 0)) && (
        <Button
          className="jp-mod-styled jp-mod-accept"
          title={trans.__('Build its environment and put its kernel into the launcher')}
          onClick={() => void applications.build(application)}
        >
          {trans.__('Build')}
        </Button>
      )}
      <Button
        className="jp-mod-styled"
        title={trans.__('Stage for distribution')}
        onClick={() => void applications.stage(application)}
      >
        {trans.__('Stage')}
      </Button>
      {editor && (
        <>
          <Button className="jp-mod-styled" onClick={() => void applications.rename(application)}>
            {trans.__('Rename…')}
          </Button>
          <Button className="jp-mod-styled" onClick={() => void applications.delete(application)}>
            {trans.__('Delete…')}
          </Button>
        </>
      )}
    </div>
  );
}
