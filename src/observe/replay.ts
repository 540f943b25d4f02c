/**
 * Asks the very checks of a request's way what would become of things that were seen, by a key and rules that may be others now. It
 * makes up the rest of the request, and has no verdict of its own.
 */
import { keyServes, type Key } from '../keys/key.ts';
import type { Address } from '../lib/address.ts';
import { checkBrowser } from '../policy/browser.ts';
import { checkKeyAddress, type ClientAddress } from '../policy/client-address.ts';
import type { Facts } from '../policy/facts.ts';
import { readHeaders } from '../policy/header-facts.ts';
import type { ApiRules, Ruleset } from '../policy/ruleset.ts';
import { checkListed, checkScope, type Asked } from '../policy/scope.ts';
import type { Refusal } from '../refusal.ts';
import { addressText, endsOf, type AddressValue } from './address-value.ts';
import type { ObservedRoute } from './route-value.ts';

/** What things are judged by. */
export interface Judge {
  readonly key: Key;
  readonly rules: Pick<Ruleset, 'apis' | 'keys'>;
}

/** Whether the key may be used from there; from a range, if it may from its first and from its last address. */
export function judgeAddress({ key, rules }: Judge, value: AddressValue): Refusal | null {
  const clients = (endsOf(value) ?? [null]).map((address) => clientAt(address, addressText(value)));
  for (const client of clients) {
    const refused = checkKeyAddress(key, client, rules.keys.lists);
    if (refused !== null) return refused;
  }
  return null;
}

const clientAt = (address: Address | null, text: string): ClientAddress => ({
  address,
  text,
  fromTrustedProxy: false,
  chain: [],
  forwardedFor: text,
});

/** Whether the key may use the route, with what the API says of it today. */
export function judgeRoute({ key, rules }: Judge, route: ObservedRoute): Pick<Refusal, 'reason'> | null {
  // A key that is not for an API is unknown there.
  if (!keyServes(key, route.api)) return { reason: 'unknown' };
  const api = rules.apis.find(({ name }) => name === route.api) ?? null;
  const asked = askedFor(route, api);
  return checkScope(key, asked) ?? (api === null ? null : checkListed(api, asked));
}

/** Whether pages of the origin may use the key; '' for a page that names none. */
export function judgeOrigin({ key }: Judge, origin: string): Refusal | null {
  const fields = origin === '' ? ['Sec-Fetch-Site', 'same-origin'] : ['Origin', origin];
  return checkBrowser(factsOf('POST', '/', fields).headers, key);
}

/** A request to a route, as far as its route goes. */
export function askedFor({ method, path }: ObservedRoute, api: ApiRules | null): Asked {
  const sample = samplePath(path);
  return {
    facts: factsOf(method, sample, []),
    path: sample,
    query: '',
    route: api?.router.match(method, sample) ?? null,
  };
}

/** A path that a pattern fits. */
const samplePath = (pattern: string): string =>
  pattern.replace(/\/:[^/]+/g, `/${SAMPLE}`).replace(/\/\*\*$/, `/${SAMPLE}`);

/** No literal segment of anybody's. */
const SAMPLE = '0';

function factsOf(method: string, target: string, fields: readonly string[]): Facts {
  const rawHeaders = ['Host', 'observed.invalid', ...fields];
  return {
    method,
    target,
    httpVersion: '1.1',
    rawHeaders,
    headers: readHeaders(rawHeaders),
    peer: { text: '', address: null, isUnix: false },
    secure: false,
    now: 0,
  };
}
