/**
 * Step 10, the events: which filter a request's body has to pass, and what its header fields must say before it is read.
 * The bytes themselves are judged by event-filter/.
 */
import { compileEventFilter, type EventFilter } from '../event-filter/filter.ts';
import { checkMedia, contentCoding, type ContentCoding } from '../event-filter/media.ts';
import type { Key } from '../keys/key.ts';
import type { HeaderFacts } from './header-facts.ts';
import type { Passage } from './pipeline.ts';
import { allowed, refusal, refused, type Decision } from './refusal.ts';
import type { CompiledRoute } from './route.ts';

/** The filter for this request's body, or null when the key may send any event or the route carries none. */
export function eventFilterOf({ identity, route }: Passage): EventFilter | null {
  if (identity === null || route === null || route.route.selector === null) return null;
  const { key } = identity;
  if (key.allowedEvents === null) return null;
  let filters = compiled.get(key);
  if (filters === undefined) compiled.set(key, (filters = new Map<CompiledRoute, EventFilter>()));
  let filter = filters.get(route.route);
  if (filter === undefined) {
    filter = compileEventFilter({
      selector: route.route.selector,
      allowed: key.allowedEvents,
      onDisallowed: key.disallowedEvents,
      unnamed: route.route.unnamed,
      containers: route.route.backend.containers,
      base64: route.route.backend.base64,
    });
    filters.set(route.route, filter);
  }
  return filter;
}

/** What must hold before a body with events is read: a JSON media type and one known content coding. */
export function checkEventMedia(headers: HeaderFacts): Decision<ContentCoding> {
  const media = checkMedia(headers.contentType);
  if (media !== null) return refused(media);
  if (headers.contentEncodingCount > 1) return refused(refusal('unsupported_encoding', 'Content-Encoding is repeated'));
  return headers.contentEncoding === undefined ? allowed('identity') : contentCoding(headers.contentEncoding);
}

/** Keys and routes are immutable, so what was compiled for a pair holds as long as both live. */
const compiled = new WeakMap<Key, Map<CompiledRoute, EventFilter>>();
