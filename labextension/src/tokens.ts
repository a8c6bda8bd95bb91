import type { ServerConnection } from '@jupyterlab/services';
import { Token } from '@lumino/coreutils';

import type { Actions } from './actions';
import type {
  ISnapshot,
  IStagedObject,
  ITargetPreview,
  ITask,
  ObjectKind,
  Strategy
} from './api/types';
import type { ObjectsModel } from './models/objects';
import type { StageModel } from './models/stage';
import type { StateModel } from './models/state';
import type { TasksModel } from './models/tasks';
import type { Upload } from './upload';

/** The translation domain of every string. */
export const DOMAIN = 'nuvo-jupyter';

/** Talks to the operations under `/nuvo/api` on the Jupyter server. */
export interface INuvoServer {
  readonly settings: ServerConnection.ISettings;

  /**
   * Send one request and return its decoded answer.
   *
   * @param method - HTTP method.
   * @param path - path below `/nuvo/api`, with a leading slash and already URL-encoded.
   * @param body - sent as JSON when given.
   * @throws NuvoError with the server's code, message and hint.
   */
  request<T>(method: string, path: string, body?: unknown): Promise<T>;
}

export const INuvoServer = new Token<INuvoServer>(
  'nuvo-jupyter:INuvoServer',
  'Requests to the Nuvo operations of the Jupyter server.'
);

/** What a described snapshot says; a field left out keeps the server's default. */
export interface ISnapshotWords {
  name?: string;
  description?: string;
  next_description?: string;
  final?: boolean;
}

/** What the panel shows, and the changes that can be asked for. */
export interface INuvoService {
  readonly server: INuvoServer;
  readonly state: StateModel;
  readonly stage: StageModel;
  readonly tasks: TasksModel;
  readonly objects: ObjectsModel;

  /** Puts a file of the user's computer into the folder shown; `null` where there is no file browser. */
  readonly upload: Upload | null;

  /** Ask again for everything shown. */
  refresh(): Promise<void>;

  /** Take a snapshot of the instance shown; `confirmed` goes on although the folder is huge. */
  takeSnapshot(words: ISnapshotWords, confirmed?: boolean): Promise<ITask>;

  /** Done before this page has files captured or changed that may be open in it; a failure does not hold that up. */
  readonly preparations: (() => Promise<unknown>)[];

  /** Restore paths of a snapshot into its instance; everything if none are given. */
  restore(snapshot: ISnapshot, paths: string[]): Promise<ITask>;

  /** Ask what restoring would do to each object. */
  previewRestore(snapshot: ISnapshot, paths: string[]): Promise<ITargetPreview>;

  updateSnapshot(
    snapshot: ISnapshot,
    words: Pick<ISnapshotWords, 'name' | 'description'>
  ): Promise<void>;

  deleteSnapshot(snapshot: ISnapshot): Promise<void>;

  recoverSnapshot(snapshot: ISnapshot): Promise<void>;

  /** Ask what a distribution would do, or do it. */
  distribute(request: IDistributeRequest, preview: boolean): Promise<ITask>;

  /** Deliver again to the targets that failed or were cancelled. */
  retry(distribution: number): Promise<ITask>;
}

/** How objects of each kind meet what a target has. */
export interface IStrategies extends Record<ObjectKind, Strategy> {
  /** Whether tables changed on both sides get the rows they do not have. */
  append_rows: boolean;
  /** Columns that tell rows apart, where a table does not say so itself. */
  key: string[];
}

/** What is distributed, how and to whom. */
export interface IDistributeRequest {
  source: string;
  whole: boolean;
  objects: IStagedObject[] | null;
  to: string[];
  strategies: IStrategies;
  onlyFiles: boolean;
  message: string;
  notify: boolean;
}

export const INuvoService = new Token<INuvoService>(
  'nuvo-jupyter:INuvoService',
  'State, stage and tasks of the instance shown in the file browser.'
);

/** What users set off from the panel, the menus and the palette. */
export type INuvoActions = Actions;

export const INuvoActions = new Token<INuvoActions>(
  'nuvo-jupyter:INuvoActions',
  'Asks back, acts and tells how it went, for what users set off.'
);
