import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { type JSX, type ReactNode, useId, useState } from 'react';

/** A part of the panel that can be folded away, or is at first. */
export function Section(props: {
  title: string;
  count?: number;
  folded?: boolean;
  children: ReactNode;
}): JSX.Element {
  const [open, setOpen] = useState(!props.folded);
  const id = useId();
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <section className="nuvo-Section" aria-labelledby={`${id}-title`}>
      <h2 className="nuvo-Section-head">
        <button
          id={`${id}-title`}
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
        >
          <Caret.react tag="span" className="nuvo-Icon" />
          <span>{props.title}</span>
          {props.count ? <span className="nuvo-Count">{props.count}</span> : null}
        </button>
      </h2>
      <div id={id} className="nuvo-Section-body" hidden={!open}>
        {open && props.children}
      </div>
    </section>
  );
}

/** Something folded away under its own head line. */
export function Disclosure(props: {
  head: ReactNode;
  label?: string;
  className?: string;
  aside?: ReactNode;
  children: () => ReactNode;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const id = useId();
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <div className={props.className}>
      <div className="nuvo-Disclosure-head">
        <button
          className="nuvo-Disclosure-button"
          aria-expanded={open}
          aria-controls={id}
          aria-label={props.label}
          onClick={() => setOpen(!open)}
        >
          <Caret.react tag="span" className="nuvo-Icon" />
          {props.head}
        </button>
        {props.aside}
      </div>
      <div id={id} hidden={!open}>
        {open && props.children()}
      </div>
    </div>
  );
}
