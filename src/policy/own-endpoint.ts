/**
 * What Postern answers itself at a path: token requests and the key set; and which paths of the metrics API are queries.
 */
import { METRICS_API } from '../config/api-names.ts';
import { foldPath, isPlainPath, readPath } from '../lib/path-reading.ts';
import type { ApiRules } from './ruleset.ts';

/** RFC 8615; where relying parties look for the keys that verify access tokens. */
const KEY_SET_PATH = '/.well-known/jwks.json';

export const isKeySetPath = (path: string): boolean => path === KEY_SET_PATH;

/**
 * Whether a path is the token endpoint of an API. One that any backend could read as it is that: what is sent there holds a
 * client secret, and never goes on.
 */
export function isTokenPath({ tokenPath }: Pick<ApiRules, 'tokenPath'>, path: string): boolean {
  if (tokenPath === null) return false;
  if (!isPlainPath(path)) return readPath(path).some((reading) => foldPath(reading) === tokenPath);
  // With or without one slash at its end: asked on every request, of which most are for something else.
  const longer = path.length - tokenPath.length;
  return (longer === 0 || longer === 1) && foldPath(path) === tokenPath;
}

const QUERY_PATH = /^\/metrics\/query(?:\/[^/]+)?$/;

/**
 * Whether a path is a query of the metrics API, whose answer may be kept. It must be one in every reading, else two different
 * ones might share an answer.
 */
export function isMetricsQuery({ name }: Pick<ApiRules, 'name'>, path: string): boolean {
  if (name !== METRICS_API) return false;
  // Dashboards ask the same again and again.
  if (path !== latest.path)
    latest = { path, isQuery: readPath(path).every((reading) => QUERY_PATH.test(foldPath(reading))) };
  return latest.isQuery;
}

let latest = { path: '', isQuery: false };
