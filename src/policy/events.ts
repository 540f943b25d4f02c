/**
 * The events rung: which filter a request's body has to pass, and what its header fields must say before it is read.
 * The bytes themselves are judged by event-filter/.
 */
import { compileEventFilter, type EventFilter, type EventRule } from '../event-filter/filter.ts';
import { checkMedia, contentCoding, isUrlEncoded, type ContentCoding } from '../event-filter/media.ts';
import type { NotedNames } from '../event-filter/noted-names.ts';
import type { Key } from '../keys/key.ts';
import { allowed, refusal, refused, type Decision } from '../refusal.ts';
import type { HeaderFacts } from './header-facts.ts';
import type { CompiledRoute } from './route.ts';

/**
 * The filter for the bodies of a key on a route, or null when the key may send any event or the route carries none. `notes` takes
 * down the names, if somebody asks for them.
 */
export function eventFilterOf(key: Key, route: CompiledRoute, notes: NotedNames | null = null): EventFilter | null {
  if (key.allowedEvents === null || route.events === null) return null;
  const compiled = notes === null ? unnoted : noted;
  let filters = compiled.get(key);
  if (filters === undefined) compiled.set(key, (filters = new Map<CompiledRoute, EventFilter>()));
  let filter = filters.get(route);
  if (filter === undefined) {
    const { allowedEvents: allowed, disallowedEvents: onDisallowed } = key;
    filter = compileFor(route.events, route, { allowed, onDisallowed, isAllowed: notes?.watch(allowed) });
    filters.set(route, filter);
  }
  return filter;
}

/** Lets every event pass that has a name, and takes the names down; null: the route carries no events. */
export function namesFilterOf(route: CompiledRoute, notes: NotedNames): EventFilter | null {
  if (route.events === null) return null;
  return compileFor(route.events, route, {
    allowed: new Set(),
    onDisallowed: 'remove',
    isAllowed: notes.watch(null),
  });
}

const compileFor = (
  { selectors, unnamed, when }: NonNullable<CompiledRoute['events']>,
  { backend: { containers, base64, kindInPath } }: CompiledRoute,
  names: Pick<EventRule, 'allowed' | 'onDisallowed' | 'isAllowed'>,
): EventFilter =>
  compileEventFilter({ ...names, selectors, unnamed, when, kindElsewhere: kindInPath, containers, base64 });

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
const unnoted = new WeakMap<Key, Map<CompiledRoute, EventFilter>>();
/** A process takes names down in one place, or not at all. */
const noted = new WeakMap<Key, Map<CompiledRoute, EventFilter>>();
