import type { ServerConnection } from '@jupyterlab/services';
import { Token } from '@lumino/coreutils';

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
