/**
 * Which CORS headers an answer carries, so that a page of an admitted origin can read it, a refusal included.
 */
import { admittedOrigins, keyAdmitsOrigin, keyNamesOrigin, readableBy } from '../policy/cors.ts';
import type { Passage } from './passage.ts';

const NONE: readonly string[] = [];

/** The header list for the page that sent this request; empty if none did or its origin is not admitted. */
export function corsHeadersFor(passage: Passage): readonly string[] {
  const { origin, originCount } = passage.facts.headers;
  if (origin === undefined || originCount !== 1) return NONE;
  return admits(passage, origin) ? readableBy(origin, mayHaveCredentials(passage, origin)) : NONE;
}

/** Whether a page of this origin may read the answer to a request with cookies. Before the key is known, as for some key. */
export function mayHaveCredentials({ api, identity, rules }: Passage, origin: string): boolean {
  if (api?.cors.allowCredentials !== true) return false;
  return identity === null ? admittedOrigins(rules.keys, api.name).names(origin) : keyNamesOrigin(identity.key, origin);
}

/** Before the key is known, an origin that some enabled key admits may read the refusal. */
function admits({ api, identity, rules }: Passage, origin: string): boolean {
  if (identity !== null) return keyAdmitsOrigin(identity.key, origin);
  return admittedOrigins(rules.keys, api?.name ?? null).admits(origin);
}
