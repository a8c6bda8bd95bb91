import type { TranslationBundle } from '@jupyterlab/translation';
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';

import type { Actions } from '../actions';
import { NuvoError } from '../api/error';
import type { IRunningKernel } from '../kernels';
import type { Model } from '../models/model';
import type { INuvoService } from '../tokens';

/** What every view can reach. */
export interface IViewContext {
  service: INuvoService;
  actions: Actions;
  trans: TranslationBundle;
  /** Open the distribution tab. */
  distribute: () => void;
  /** Open a tab with a table of a state. */
  openTable: (state: string, table: string) => void;
  /** Open a tab that shows how a table differs between two states. */
  compareTable: (left: string, right: string, table: string) => void;
  /** The kernels of open notebooks. */
  kernels: () => IRunningKernel[];
  /** Open a notebook or a console with a kernel. */
  launch: (what: 'notebook' | 'console', kernel: string) => Promise<void>;
  /** Names of the files and folders selected in the file browser. */
  selected: () => string[];
}

export const ViewContext = createContext<IViewContext | null>(null);

export function useNuvo(): IViewContext {
  const context = useContext(ViewContext);
  if (!context) {
    throw new Error('A Nuvo view was rendered outside its panel.');
  }
  return context;
}

/** Render again whenever the model changes. */
export function useModel<M extends Model>(model: M): M {
  useSyncExternalStore(
    told => {
      model.changed.connect(told);
      return () => {
        model.changed.disconnect(told);
      };
    },
    () => model.version
  );
  return model;
}

/** What a question to the server has come to. */
export interface IAsked<T> {
  answer: T | null;
  problem: NuvoError | null;
}

/**
 * Ask the server when shown and whenever `key` changes; the last answer stays until the next one is there.
 *
 * @param key - stands for everything the question depends on.
 */
export function useAsked<T>(ask: () => Promise<T>, key: string): IAsked<T> {
  const [asked, setAsked] = useState<IAsked<T>>({ answer: null, problem: null });
  useEffect(() => {
    let wanted = true;
    ask().then(
      answer => wanted && setAsked({ answer, problem: null }),
      error => wanted && setAsked({ answer: null, problem: NuvoError.of(error) })
    );
    return () => {
      wanted = false;
    };
    // `ask` is made anew in every rendering; `key` says when it asks something else.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return asked;
}

const MINUTE = 60_000;

/** Milliseconds since the epoch, renewed every minute. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), MINUTE);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}
