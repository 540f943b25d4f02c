/**
 * The events rung: which filter a request's body has to pass, and what its header fields must say before it is read.
 * The bytes themselves are judged by event-filter/.
 */
import { compileEventFilter, type EventFilter } from '../event-filter/filter.ts';
import { checkMedia, contentCoding, isUrlEncoded, type ContentCoding } from '../event-filter/media.ts';
import type { Key } from '../keys/key.ts';
import { allowed, refusal, refused, type Decision } from '../refusal.ts';
import type { HeaderFacts } from './header-facts.ts';
import type { CompiledRoute } from './route.ts';

/** The filter for the bodies of a key on a route, or null when the key may send any event or the route carries none. */
export function eventFilterOf(key: Key, route: CompiledRoute): EventFilter | null {
  if (key.allowedEvents === null || route.events === null) return null;
  let filters = compiled.get(key);
  if (filters === undefined) compiled.set(key, (filters = new Map<CompiledRoute, EventFilter>()));
  let filter = filters.get(route);
  if (filter === undefined) {
    filter = compileEventFilter({
      selectors: route.events.selectors,
      allowed: key.allowedEvents,
      onDisallowed: key.disallowedEvents,
      unnamed: route.events.unnamed,
      when: route.events.when,
      containers: route.backend.containers,
      base64: route.backend.base64,
    });
    filters.set(route, filter);
  }
  return filter;
}

/** What must hold before a body is looked into: a JSON media type, or a form that the route takes, and one known content coding. */
export function checkEventMedia(headers: HeaderFacts, route: CompiledRoute | null): Decision<ContentCoding> {
  const takesForm = route !== null && route.envelope.form !== null;
  if (!takesForm || headers.contentType === undefined || !isUrlEncoded(headers.contentType)) {
    const media = checkMedia(headers.contentType);
    if (media !== null) return refused(media);
  }
  if (headers.contentEncodingCount > 1) return refused(refusal('unsupported_encoding', 'Content-Encoding is repeated'));
  return headers.contentEncoding === undefined ? allowed('identity') : contentCoding(headers.contentEncoding);
}

/** Keys and routes are immutable, so what was compiled for a pair holds as long as both live. */
const compiled = new WeakMap<Key, Map<CompiledRoute, EventFilter>>();
