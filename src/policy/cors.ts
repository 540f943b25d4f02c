/**
 * Cross-origin requests: which origins are admitted, the answer to a preflight, and the headers that let a page read an answer
 * (Fetch standard, "CORS protocol"). Only write-only keys are for web pages; every other key gets none of this.
 */
import type { Key, KeySnapshot } from '../keys/key.ts';
import type { Facts } from './facts.ts';
import type { CorsRules } from './ruleset.ts';

/** Whether pages of this origin may use the key. `null` in the key means every origin. */
export function keyAdmitsOrigin(key: Key, origin: string): boolean {
  return key.type === 'write-only' && (key.allowedOrigins === null || key.allowedOrigins.has(origin));
}

/** The origins that some enabled write-only key admits: null means every origin. */
export function admittedOrigins(keys: KeySnapshot): ReadonlySet<string> | null {
  let origins = cache.get(keys);
  if (origins === undefined) cache.set(keys, (origins = collectOrigins(keys)));
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

/** The header list that answers a preflight of an admitted origin. */
export function preflightHeaders(facts: Facts, rules: CorsRules): string[] {
  const asked = (facts.headers.accessControlRequestHeaders ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => rules.allowedHeaders.has(name));
  const headers = ['Access-Control-Allow-Origin', facts.headers.origin ?? '', 'Access-Control-Allow-Methods', 'POST'];
  if (asked.length > 0) headers.push('Access-Control-Allow-Headers', [...new Set(asked)].join(', '));
  headers.push('Access-Control-Max-Age', String(rules.maxAgeSeconds), 'Vary', 'Origin');
  return headers;
}

/** The header list that lets a page of this origin read an answer of Postern. */
export function readableBy(origin: string): string[] {
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Expose-Headers',
    'Postern-Removed-Events, X-Request-Id, Retry-After',
    'Vary',
    'Origin',
  ];
}

/** A snapshot never changes, so neither do its origins. */
const cache = new WeakMap<KeySnapshot, ReadonlySet<string> | null>();

function collectOrigins(keys: KeySnapshot): ReadonlySet<string> | null {
  const origins = new Set<string>();
  for (const key of keys.byId.values()) {
    if (key.type !== 'write-only' || !key.enabled) continue;
    if (key.allowedOrigins === null) return null;
    for (const origin of key.allowedOrigins) origins.add(origin);
  }
  return origins;
}
