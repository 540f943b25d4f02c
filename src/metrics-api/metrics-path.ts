/**
 * What stands at a path of the metrics API: the token endpoint, a query whose answer may be kept, or something else.
 */
import { foldPath, readPath } from '../policy/path-reading.ts';

export type MetricsPath = 'token' | 'query' | 'other';

const TOKEN_PATH = '/metrics/auth/token';
const QUERY_PATH = /^\/metrics\/query(?:\/[^/]+)?$/;

/**
 * A path that any backend could read as the token endpoint is that: what is sent there holds a client secret, and never goes
 * on. A query must be one in every reading, else two different ones might share an answer.
 */
export function metricsPath(path: string): MetricsPath {
  const readings = readPath(path).map(foldPath);
  if (readings.includes(TOKEN_PATH)) return 'token';
  return readings.every((reading) => QUERY_PATH.test(reading)) ? 'query' : 'other';
}
