/**
 * Cross-origin requests: which origins are admitted, the answer to a preflight, and the headers that let a page read an answer
 * (Fetch standard, "CORS protocol"). Only keys that pages may use have any of this.
 */
import { KEY_TYPES, keyServes, type Key, type KeySnapshot, type KeyType } from '../keys/key.ts';
import type { Facts } from './facts.ts';
import type { CorsRules } from './ruleset.ts';
import { METHODS } from './scope.ts';

/** Whether pages of this origin may use the key. `null` in the key means every origin. */
export function keyAdmitsOrigin(key: Key, origin: string): boolean {
  return key.allowBrowsers && (key.allowedOrigins === null || key.allowedOrigins.has(origin));
}

/** Whether the key says this origin by name, and not `*`. Only such an origin may send a visitor's cookies. */
export function keyNamesOrigin(key: Key, origin: string): boolean {
  return key.allowBrowsers && key.allowedOrigins?.has(origin) === true;
}

/** What all enabled keys that pages may use, and that are for one API, let pages do there. */
export interface AdmittedOrigins {
  readonly admits: (origin: string) => boolean;
  /** Whether some key says the origin by name, and not `*`. */
  readonly names: (origin: string) => boolean;
  /**
   * The methods that the types of these keys have for pages of the origin; none where it is not admitted. `readable`: of what is
   * asked for, also those who only write may read, such as a file that their SDK needs.
   */
  readonly methodsFor: (origin: string, readable?: boolean) => readonly string[];
}

/** For the API of this name; null: for any. Made once for a snapshot, however many keys it has. */
export function admittedOrigins(keys: KeySnapshot, api: string | null): AdmittedOrigins {
  let known = cache.get(keys);
  if (known === undefined) cache.set(keys, (known = { groups: groupsOf(keys), byApi: new Map() }));
  let origins = known.byApi.get(api);
  if (origins === undefined) known.byApi.set(api, (origins = originsOf(known.groups, api)));
  return origins;
}

/** Whether this is a CORS preflight, which a browser sends without credentials and which Postern answers itself. */
export function isPreflight(facts: Facts): boolean {
  return (
    facts.method === 'OPTIONS' &&
    facts.headers.origin !== undefined &&
    facts.headers.accessControlRequestMethod !== undefined
  );
}

/** What a preflight of an admitted origin is told. */
export interface PreflightAnswer {
  readonly rules: CorsRules;
  readonly methods: readonly string[];
  /** As in `readableBy`. */
  readonly credentials: boolean;
}

/** The header list that answers a preflight of an admitted origin. */
export function preflightHeaders(facts: Facts, { rules, methods, credentials }: PreflightAnswer): string[] {
  const asked = (facts.headers.accessControlRequestHeaders ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => rules.allowedHeaders.has(name));
  const headers = ['Access-Control-Allow-Origin', facts.headers.origin ?? ''];
  headers.push('Access-Control-Allow-Methods', methods.join(', '));
  if (credentials) headers.push('Access-Control-Allow-Credentials', 'true');
  if (asked.length > 0) headers.push('Access-Control-Allow-Headers', [...new Set(asked)].join(', '));
  headers.push('Access-Control-Max-Age', String(rules.maxAgeSeconds), 'Vary', 'Origin');
  return headers;
}

/**
 * The header list that lets a page of this origin read an answer of Postern. `credentials`: also when the browser sent cookies
 * with the request, as `fetch` with `credentials: 'include'` and every `sendBeacon` do.
 */
export function readableBy(origin: string, credentials: boolean): string[] {
  const headers = [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Expose-Headers',
    'Postern-Removed-Events, X-Request-Id, Retry-After',
    'Vary',
    'Origin',
  ];
  if (credentials) headers.push('Access-Control-Allow-Credentials', 'true');
  return headers;
}

/** Keys that are for the same APIs. Types of keys are bits, in the order of `KEY_TYPES`. */
interface Group {
  readonly key: Key;
  /** Types of the keys that admit every origin. */
  any: number;
  /** Types of the keys that say an origin by name. */
  readonly named: Map<string, number>;
}

interface Known {
  readonly groups: readonly Group[];
  readonly byApi: Map<string | null, AdmittedOrigins>;
}

/** A snapshot never changes, so neither do its origins. */
const cache = new WeakMap<KeySnapshot, Known>();

function groupsOf(keys: KeySnapshot): Group[] {
  const groups = new Map<Key['apis'], Group>();
  for (const key of keys.byId.values()) {
    if (!key.allowBrowsers || !key.enabled) continue;
    let group = groups.get(key.apis);
    if (group === undefined) groups.set(key.apis, (group = { key, any: 0, named: new Map() }));
    const type = bitOf(key.type);
    if (key.allowedOrigins === null) group.any |= type;
    else for (const origin of key.allowedOrigins) group.named.set(origin, (group.named.get(origin) ?? 0) | type);
  }
  return [...groups.values()];
}

const bitOf = (type: KeyType): number => 1 << KEY_TYPES.indexOf(type);

function originsOf(groups: readonly Group[], api: string | null): AdmittedOrigins {
  const serving = groups.filter(({ key }) => api === null || keyServes(key, api));
  const any = serving.reduce((types, group) => types | group.any, 0);
  const named = new Map<string, number>();
  for (const group of serving)
    for (const [origin, types] of group.named) named.set(origin, (named.get(origin) ?? 0) | types);
  const typesFor = (origin: string): number => any | (named.get(origin) ?? 0);
  return {
    admits: (origin) => typesFor(origin) !== 0,
    names: (origin) => named.has(origin),
    methodsFor: (origin, readable = false) => {
      const types = typesFor(origin);
      const held = KEY_TYPES.filter((type) => (types & bitOf(type)) !== 0);
      const more = readable && types !== 0 ? METHODS['read-only'] : NO_METHODS;
      return IN_ORDER.filter((method) => more.has(method) || held.some((type) => METHODS[type].has(method)));
    },
  };
}

const NO_METHODS: ReadonlySet<string> = new Set();
const IN_ORDER: readonly string[] = [...METHODS['read-write']];
