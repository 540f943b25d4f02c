/**
 * What stands at a path of the metrics API: the token endpoint, a query whose answer may be kept, or something else.
 */
import { foldPath, readPath } from '../lib/path-reading.ts';
import { isMetricsPath } from './route.ts';

export type MetricsPath = 'token' | 'query' | 'other';

const TOKEN_PATH = '/metrics/auth/token';
const QUERY_PATH = /^\/metrics\/query(?:\/[^/]+)?$/;

/**
 * A path that any backend could read as the token endpoint is that: what is sent there holds a client secret, and never goes
 * on. A query must be one in every reading, else two different ones might share an answer.
 */
export function metricsPath(path: string): MetricsPath {
  // Asked several times a request.
  if (path !== latest.path) latest = { path, kind: kindOf(path) };
  return latest.kind;
}

let latest: { readonly path: string; readonly kind: MetricsPath } = { path: '', kind: 'other' };

function kindOf(path: string): MetricsPath {
  const readings = readPath(path).map(foldPath);
  if (readings.includes(TOKEN_PATH)) return 'token';
  return readings.every((reading) => QUERY_PATH.test(reading)) ? 'query' : 'other';
}

/** RFC 8615; where relying parties look for the keys that verify access tokens. */
const KEY_SET_PATH = '/.well-known/jwks.json';

/** What Postern answers itself at a path. `publishesKeys`: there are public keys to serve. */
export function ownEndpointAt(path: string, publishesKeys: boolean): 'token' | 'key set' | null {
  if (publishesKeys && path === KEY_SET_PATH) return 'key set';
  return isMetricsPath(path) && metricsPath(path) === 'token' ? 'token' : null;
}
