import type { INuvoServer } from '../tokens';
import type { paths } from './schema';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The paths below `/nuvo/api` that have this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];

type Given<T> = [T] extends [never] ? object : string extends keyof T ? object : T;
type Query<O> = O extends { parameters: { query?: infer T } } ? Given<NonNullable<T>> : object;
type InPath<O> = O extends { parameters: { path?: infer T } } ? Given<NonNullable<T>> : object;
type Body<O> = O extends { requestBody?: infer R }
  ? NonNullable<R> extends { content: { 'application/json': infer T } }
    ? Given<T>
    : object
  : object;

/** What an operation takes, wherever the request carries it. */
export type Request<M extends Method, P extends PathOf<M>> = Query<paths[P][M]> &
  InPath<paths[P][M]> &
  Body<paths[P][M]>;

/** What an operation answers. */
export type Answer<M extends Method, P extends PathOf<M>> = paths[P][M] extends {
  responses: { 200: { content: { 'application/json': infer T } } };
}
  ? T
  : never;

/**
 * Call an operation of the server.
 *
 * @param request - all its fields; those named in the path go there, the others into the query or the body.
 * @throws NuvoError when the server refuses or cannot be reached.
 */
export function call<M extends Method, P extends PathOf<M>>(
  server: INuvoServer,
  method: M,
  path: P,
  request: Request<M, P>
): Promise<Answer<M, P>> {
  const fields = new Map(Object.entries(request as Record<string, unknown>));
  const filled = String(path).replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(fields.get(name));
    fields.delete(name);
    return encodeURIComponent(value);
  });
  const rest = [...fields].filter(([, value]) => value !== undefined);
  if (method === 'get' || method === 'delete') {
    const query = queryOf(rest);
    return server.request(method.toUpperCase(), query ? `${filled}?${query}` : filled);
  }
  return server.request(method.toUpperCase(), filled, Object.fromEntries(rest));
}

/** A query; several values of one field are given one by one. */
export function queryOf(fields: [string, unknown][]): string {
  const several = fields.flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(one => [name, String(one)])
  );
  return new URLSearchParams(several).toString();
}
