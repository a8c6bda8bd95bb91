import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { INuvoServer } from '../tokens';
import { NuvoError } from './error';

export const API = 'nuvo/api';

/** Requests with the credentials and the base address JupyterLab itself uses. */
export class NuvoServer implements INuvoServer {
  constructor(readonly settings: ServerConnection.ISettings) {}

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    const url = URLExt.join(this.settings.baseUrl, API) + path;
    const response = await ServerConnection.makeRequest(url, init, this.settings);
    const text = await response.text();
    const answer = decoded(text);
    if (!response.ok) {
      throw NuvoError.from(response.status, response.statusText, answer);
    }
    return answer as T;
  }
}

/** A proxy may answer with a page instead of JSON; then there is nothing to decode. */
function decoded(text: string): unknown {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
