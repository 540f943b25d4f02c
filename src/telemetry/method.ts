/**
 * How a request's method is told in spans, by OpenTelemetry's semantic conventions: the usual ones as they are, others as one,
 * so that nobody can invent names of spans.
 */
import { ATTR_HTTP_REQUEST_METHOD, ATTR_HTTP_REQUEST_METHOD_ORIGINAL } from '@opentelemetry/semantic-conventions';

const USUAL: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);

const USUAL_ATTRIBUTES = new Map([...USUAL].map((method) => [method, { [ATTR_HTTP_REQUEST_METHOD]: method }]));

export const methodAttributes = (method: string): Readonly<Record<string, string>> =>
  USUAL_ATTRIBUTES.get(method) ?? {
    [ATTR_HTTP_REQUEST_METHOD]: '_OTHER',
    [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method,
  };

/** `route`: the pattern of a route that is listed; null: none is. */
export function spanNameOf(method: string, route: string | null): string {
  const verb = USUAL.has(method) ? method : 'HTTP';
  return route === null ? verb : `${verb} ${route}`;
}
