/**
 * Step 8, the scope: which methods a key's type may use, and which routes a key limited to specific events may use.
 */
import type { Key, KeyType } from '../keys/key.ts';
import { overridesMethod } from './query.ts';
import { refusal, type Refusal } from './refusal.ts';
import type { RouteMatch } from './route.ts';

const METHODS: Readonly<Record<KeyType, ReadonlySet<string>>> = {
  'write-only': new Set(['POST']),
  'read-write': new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  metrics: new Set(['GET', 'HEAD', 'POST']),
};

/**
 * Refuses a method outside the key's type, a method override in the query of a write-only key, and, for a key limited to
 * specific events, every route that the API does not list: an unlisted route might carry events in a place nobody looks at.
 */
export function checkScope(key: Key, method: string, query: string, route: RouteMatch | null): Refusal | null {
  if (!METHODS[key.type].has(method))
    return refusal('method_not_allowed', `a ${key.type} key may not use this method: key ${key.id}`);
  if (key.type === 'write-only' && query !== '' && overridesMethod(query))
    return refusal('method_not_allowed', `key ${key.id} is write-only and the query holds a _method parameter`);
  if (key.allowedEvents !== null && route === null)
    return refusal('route_not_allowed', `key ${key.id} is limited to specific events and this route is not listed`);
  return null;
}
