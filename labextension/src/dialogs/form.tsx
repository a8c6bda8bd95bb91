import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type JSX, useState } from 'react';

/** A form: shows a value and tells when the user changed it. */
export type Form<T> = (props: { value: T; onChange: (value: T) => void }) => JSX.Element;

class FormBody<T> extends ReactWidget implements Dialog.IBodyWidget<T> {
  constructor(
    private readonly _form: Form<T>,
    private _value: T
  ) {
    super();
    this.addClass('nuvo-Form');
  }

  getValue(): T {
    return this._value;
  }

  protected render(): JSX.Element {
    return (
      <Filled form={this._form} initial={this._value} onChange={value => (this._value = value)} />
    );
  }
}

function Filled<T>(props: {
  form: Form<T>;
  initial: T;
  onChange: (value: T) => void;
}): JSX.Element {
  const [value, setValue] = useState(props.initial);
  const FormOf = props.form;
  return (
    <FormOf
      value={value}
      onChange={changed => {
        setValue(changed);
        props.onChange(changed);
      }}
    />
  );
}

/** Ask the user to fill in a form; `null` if they cancel. `warn` marks what takes something away. */
export async function askForm<T>(
  options: { title: string; accept: string; initial: T; form: Form<T>; warn?: boolean },
  trans: TranslationBundle
): Promise<T | null> {
  const result = await showDialog<T>({
    title: options.title,
    body: new FormBody(options.form, options.initial),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      (options.warn ? Dialog.warnButton : Dialog.okButton)({ label: options.accept })
    ],
    focusNodeSelector: 'input, select, textarea'
  });
  return result.button.accept ? result.value : null;
}

/** Ask the user to confirm something; `warn` marks what takes something away. */
export async function askConfirm(
  options: { title: string; body: string; accept: string; warn?: boolean },
  trans: TranslationBundle
): Promise<boolean> {
  const button = options.warn ? Dialog.warnButton : Dialog.okButton;
  const result = await showDialog({
    title: options.title,
    body: options.body,
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), button({ label: options.accept })]
  });
  return result.button.accept;
}
