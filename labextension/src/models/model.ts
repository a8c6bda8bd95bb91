import { type ISignal, Signal } from '@lumino/signaling';

/** Something views show: they read its fields and render again when it says it changed. */
export abstract class Model {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Counts changes, so that a view can tell whether it shows the newest. */
  get version(): number {
    return this._version;
  }

  protected notify(): void {
    this._version += 1;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _version = 0;
}
