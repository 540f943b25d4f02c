/**
 * Makes of the places of credentials, and of what the backend gets there, what requests are judged by. Once, when the configuration
 * is loaded; what is written is valid already.
 */
import { inOneCase, type AuthorizationConfig } from '../config/credential-schema.ts';
import { compileMemberSearch } from '../event-filter/member-value.ts';
import { compileNameReader } from '../lib/query.ts';
import type { CredentialLocation, UpstreamAuthorization, UpstreamCredentials } from './ruleset.ts';

/** A place of a credential as it is written: `bearer`, `query:NAME` and so on. */
export function compileLocation(written: string): CredentialLocation {
  if (written === 'bearer' || written === 'basic-username') return { kind: written };
  const colon = written.indexOf(':');
  const kind = written.slice(0, colon) as 'header' | 'query' | 'body';
  const name = written.slice(colon + 1);
  switch (kind) {
    case 'header':
      return { kind, name };
    case 'query':
      return { kind, name, isName: compileNameReader(name) };
    case 'body':
      return { kind, name, find: compileMemberSearch(name) };
  }
}

const STRIP: UpstreamAuthorization = { kind: 'strip' };

/**
 * What the backend gets in each of the places: the one text in all of them, or each its own, and none where nothing is said. `bearer`
 * and `basic-username` are one field, so that the text of either stands for the other.
 */
export function compileAuthorization(written: AuthorizationConfig, places: readonly string[]): UpstreamCredentials {
  if (typeof written === 'string') {
    const everywhere = compileText(written);
    return { basic: everywhere, bearer: everywhere, places: places.map(() => everywhere) };
  }
  const texts = new Map(Object.entries(written).map(([place, text]) => [inOneCase(place), text]));
  const at = (place: string, other = place): UpstreamAuthorization => {
    const text = texts.get(place) ?? texts.get(other);
    return text === undefined ? STRIP : compileText(text);
  };
  return {
    basic: at('basic-username', 'bearer'),
    bearer: at('bearer', 'basic-username'),
    places: places.map((place) => at(place)),
  };
}

function compileText(written: string): UpstreamAuthorization {
  if (written === 'strip' || written === 'pass') return { kind: written };
  return { kind: 'literal', value: written };
}
