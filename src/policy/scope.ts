/**
 * Which methods and routes a key may use, and what could stand for another method; which routes an API serves at all; which query a
 * key limited to specific events may send beside them. It reads the header section alone.
 */
import { mayBeForm } from '../event-filter/form-media.ts';
import { isUrlEncoded } from '../event-filter/media.ts';
import type { Key, KeyType } from '../keys/key.ts';
import { overridesMethod } from '../lib/method-override.ts';
import { objectionToQuery } from '../lib/query.ts';
import { refusal, type Refusal } from '../refusal.ts';
import { announcesBody, type Facts } from './facts.ts';
import type { RouteMatch } from './route.ts';
import { ruleOfApi, ruleOfKey } from './rule.ts';
import type { ApiRules } from './ruleset.ts';

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
  /** Normalized, without the query. */
  readonly path: string;
  /** '' or `?...`. */
  readonly query: string;
  readonly route: RouteMatch | null;
}

/**
 * Refuses a method outside the key's type, a route that is not among the key's, whatever a backend may take for another method,
 * and, for a key limited to specific events, every route that the API does not list (an unlisted route might carry events in a
 * place nobody looks at) and a query that may hold events.
 */
export function checkScope(key: Key, asked: Asked): Refusal | null {
  const { facts, path, query, route } = asked;
  if (!METHODS[key.type].has(facts.method) && !mayRead(key, asked))
    return refusal('method_not_allowed', `a ${key.type} key may not use this method: key ${key.id}`);
  if (key.allowedRoutes !== null && !key.allowedRoutes.admits(facts.method, path))
    return refusal('route_not_allowed', 'the method and path are not on the list', ruleOfKey(key, 'allowedRoutes'));
  const isConfined = isConfinedToMethods(key);
  if (isConfined && mayOverrideByQuery(asked)) return OVERRIDE_IN_QUERY;
  if (key.allowedEvents !== null && (route === null || route.route.backend.unseen === true))
    return refusal('route_not_allowed', 'only listed routes may be used', ruleOfKey(key, 'allowedEvents'));
  if (isConfined && mayOverrideByForm(asked)) return OVERRIDE_IN_FORM;
  return key.allowedEvents === null || query === '' ? null : checkQuery(key, query, route as RouteMatch);
}

/** What a web page must fetch that holds a key for sending. */
const mayRead = ({ type }: Key, { facts, route }: Asked): boolean =>
  type === 'write-only' && route?.route.pages === true && METHODS['read-only'].has(facts.method);

/** Whether a method in place of the request's own would take the key further: to methods, or to routes that are not its own. */
export function isConfinedToMethods(key: Key): boolean {
  return key.type !== 'read-write' || key.allowedEvents !== null || key.allowedRoutes !== null;
}

/**
 * Refuses, where an API serves listed routes alone, what none of them is. A path that only some backends take for a listed route
 * is not listed.
 */
export function checkListed(api: Pick<ApiRules, 'name' | 'unlisted'>, asked: Asked): Refusal | null {
  if (api.unlisted === 'allow') return null;
  if (asked.route?.route.isSure !== true)
    return refusal('route_not_allowed', 'no route lists this method and path', ruleOfApi(api.name, 'unlisted: refuse'));
  return checkOverride(asked);
}

/** Refuses what some backend takes for another method than the request's own: everybody who is confined to that one. */
export function checkOverride(asked: Asked): Refusal | null {
  if (mayOverrideByQuery(asked)) return OVERRIDE_IN_QUERY;
  return mayOverrideByForm(asked) ? OVERRIDE_IN_FORM : null;
}

const OVERRIDE_IN_QUERY = refusal(
  'method_not_allowed',
  'the query holds a parameter that stands for another method, such as _method, and not every method or route may be used here',
);
const OVERRIDE_IN_FORM = refusal(
  'unsupported_media_type',
  'Content-Type: a form, whose _method some backends believe (forms: true)',
);

const mayOverrideByQuery = ({ query }: Asked): boolean => query !== '' && overridesMethod(query);

function mayOverrideByForm({ facts, route }: Asked): boolean {
  const { contentType } = facts.headers;
  if (contentType === undefined || contentType === 'application/json' || route?.route.forms === true) return false;
  if (route !== null && route.route.envelope.form !== null && isUrlEncoded(contentType)) return false;
  return mayBeForm(contentType) && announcesBody(facts);
}

/** Beside events, a backend might take events from the query. */
function checkQuery(key: Key, query: string, { route }: RouteMatch): Refusal | null {
  if (route.events === null) return null;
  const objection = objectionToQuery(query, route.query);
  if (objection === null) return null;
  const why = objection === 'unlisted' ? 'a parameter that the route does not list' : 'a parameter twice';
  return refusal('query_not_allowed', `beside events, the query holds ${why}`, ruleOfKey(key, 'allowedEvents'));
}
