import { isFinished } from '../models/tasks';
import type { INuvoServer } from '../tokens';
import { NuvoError } from './error';
import { call } from './operations';
import type { ICollectReport, IForgetReport, ITargetPreview, ITask, IUsage } from './types';

// As long as a request may wait; a task that takes longer is asked for again.
const WAIT_SECONDS = 30;
const OBJECTS_SHOWN = 200;

/**
 * What an instance's snapshots need of the store.
 *
 * @param folder - also what each path in it needs over all snapshots; `''` for everything.
 */
export async function askUsage(
  server: INuvoServer,
  instance: string,
  folder?: string
): Promise<IUsage> {
  const task = await call(server, 'post', '/usage', { instance, folder, wait: WAIT_SECONDS });
  return call(server, 'get', '/usages/{id}', { id: await ended(server, task) });
}

/** What collecting would free in the end. */
export async function askCollect(server: INuvoServer, now: boolean): Promise<ICollectReport> {
  const request = { dry_run: true, now, wait: WAIT_SECONDS };
  const task = await call(server, 'post', '/collect', request);
  return call(server, 'get', '/collections/{id}', { id: await ended(server, task) });
}

/** What a space's rule would delete. */
export async function askForget(server: INuvoServer, space: string): Promise<IForgetReport> {
  const request = { space, dry_run: true, wait: WAIT_SECONDS };
  const task = await call(server, 'post', '/forget', request);
  return call(server, 'get', '/forgets/{id}', { id: await ended(server, task) });
}

/** What a preview that was asked for found for the only target it has. */
export async function askOnlyTarget(server: INuvoServer, task: ITask): Promise<ITargetPreview> {
  const id = await ended(server, task);
  const preview = await call(server, 'get', '/previews/{id}', { id, objects: OBJECTS_SHOWN });
  return preview.targets[0];
}

/** Wait until a task has finished, whatever came of it. */
export async function whenEnded(server: INuvoServer, task: ITask): Promise<ITask> {
  let seen = task;
  while (!isFinished(seen.state)) {
    seen = await call(server, 'get', '/tasks/{id}', { id: task.id, wait: WAIT_SECONDS });
  }
  return seen;
}

/** Wait for a task; its id, once it is done. */
async function ended(server: INuvoServer, task: ITask): Promise<number> {
  const seen = await whenEnded(server, task);
  if (seen.problem) {
    throw new NuvoError(0, seen.problem.code, seen.problem.message, seen.problem.hint ?? '');
  }
  return task.id;
}
