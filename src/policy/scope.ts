/**
 * The scope rung: which methods a key's type may use and what could stand for another one, which routes a key limited to
 * specific events may use, and which query it may send beside events. It reads the header section alone.
 */
import { mayBeForm } from '../event-filter/form-media.ts';
import type { Key, KeyType } from '../keys/key.ts';
import { objectionToQuery, overridesMethod } from '../lib/query.ts';
import { refusal, type Refusal } from '../refusal.ts';
import { announcesBody, type Facts } from './facts.ts';
import type { RouteMatch } from './route.ts';

/** The methods that a key of a type may use. */
export const METHODS: Readonly<Record<KeyType, ReadonlySet<string>>> = {
  'write-only': new Set(['POST']),
  'read-only': new Set(['GET', 'HEAD']),
  'read-write': new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  metrics: new Set(['GET', 'HEAD', 'POST']),
};

/** What of a request the scope is judged by. */
export interface Asked {
  readonly facts: Facts;
  /** '' or `?...`. */
  readonly query: string;
  readonly route: RouteMatch | null;
}

/**
 * Refuses a method outside the key's type, whatever a backend may take for another method, and, for a key limited to specific
 * events, every route that the API does not list (an unlisted route might carry events in a place nobody looks at) and a query
 * that may hold events.
 */
export function checkScope(key: Key, asked: Asked): Refusal | null {
  const { facts, query, route } = asked;
  if (!METHODS[key.type].has(facts.method))
    return refusal('method_not_allowed', `a ${key.type} key may not use this method: key ${key.id}`);
  const isConfined = isConfinedToMethods(key);
  if (isConfined && query !== '' && overridesMethod(query))
    return refusal(
      'method_not_allowed',
      `key ${key.id} may not use every method and the query holds a _method parameter`,
    );
  if (key.allowedEvents !== null && (route === null || route.route.backend.unseen === true))
    return refusal('route_not_allowed', `key ${key.id} is limited to specific events and this route is not listed`);
  if (isConfined && isForm(asked))
    return refusal('unsupported_media_type', 'Content-Type: a form, whose _method some backends believe (forms: true)');
  return key.allowedEvents === null || query === '' ? null : checkQuery(key, query, route as RouteMatch);
}

/** Whether a method in place of the request's own would take the key further: to methods, or to routes that are not its own. */
export function isConfinedToMethods(key: Key): boolean {
  return key.type !== 'read-write' || key.allowedEvents !== null;
}

/** Whether a backend may take another method than the request's own from it: then only a key that may use every one may send it. */
export const couldOverrideMethod = (asked: Asked): boolean =>
  (asked.query !== '' && overridesMethod(asked.query)) || isForm(asked);

function isForm({ facts, route }: Asked): boolean {
  const { contentType } = facts.headers;
  if (contentType === undefined || contentType === 'application/json' || route?.route.forms === true) return false;
  return mayBeForm(contentType) && announcesBody(facts);
}

/** Beside events, a backend might take events from the query. */
function checkQuery(key: Key, query: string, { route }: RouteMatch): Refusal | null {
  if (route.events === null) return null;
  const objection = objectionToQuery(query, route.query);
  if (objection === null) return null;
  const why = objection === 'unlisted' ? 'a parameter that the route does not list' : 'a parameter twice';
  return refusal('query_not_allowed', `key ${key.id} is limited to specific events and the query holds ${why}`);
}
