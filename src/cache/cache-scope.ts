/**
 * What of an API's configuration shapes its answers: they are kept apart by it, so that none outlives a change, and none is another
 * API's.
 */
import { hash } from 'node:crypto';
import type { ApiName } from '../config/api-names.ts';
import type { ApiConfig } from '../config/apis-schema.ts';

/**
 * Whether a field shapes what the backend is asked or what it answers. A new field does not compile until it is on this list.
 */
const SHAPES_ANSWER = {
  upstream: true,
  authorization: true,
  preserveHost: true,
  routes: true,
  preset: true,
  openapi: true,
  hosts: true,
  paths: true,
  // Who may ask, and what the asking may cost: the answer is the same.
  credential: false,
  unlisted: false,
  allowFrom: false,
  denyFrom: false,
  connectTimeoutSeconds: false,
  timeoutSeconds: false,
  idleTimeoutSeconds: false,
  maxBodyBytes: false,
  maxConnections: false,
  maxConnectionsPerKey: false,
  keepAliveSeconds: false,
  cors: false,
  enforcement: false,
  token: false,
  cache: false,
  // Field by field, below.
  tls: false,
} as const satisfies Readonly<Record<keyof ApiConfig, boolean>>;

/** By which name the backend is asked, and by whom, is part of the question; how its certificate is verified is not. */
const TLS_SHAPES_ANSWER = {
  serverName: true,
  certFile: true,
  keyFile: false,
  caFile: false,
  insecureSkipVerify: false,
} as const satisfies Readonly<Record<keyof ApiConfig['tls'], boolean>>;

/** The digest of all that shapes every answer of an API. */
export function scopeOf(name: ApiName, api: ApiConfig): string {
  const shape = { name, ...picked(api, SHAPES_ANSWER), ...picked(api.tls, TLS_SHAPES_ANSWER) };
  return hash('sha256', `postern cache 3 ${JSON.stringify(shape)}`);
}

/** The marked fields, in the order of the marks: the same for every process that shares the answers. */
const picked = <T extends object>(fields: T, marks: Readonly<Record<keyof T, boolean>>): Partial<T> => {
  const chosen: Partial<T> = {};
  for (const name of Object.keys(marks) as (keyof T)[]) if (marks[name]) chosen[name] = fields[name];
  return chosen;
};
