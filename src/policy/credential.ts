/**
 * The credential rung: whose credential came with the request. Finds it where the API says it may stand and looks it up by
 * digest, so that no comparison takes longer for a near miss. Does not decide what the key may do.
 */
import type { Key, KeySecret, KeySnapshot } from '../keys/key.ts';
import { fieldValues } from '../lib/header-list.ts';
import { countReadAs, queryParameters } from '../lib/query.ts';
import { allowed, refusal, refused, type Decision, type Refusal } from '../refusal.ts';
import { DIFFERENT, NOT_TEXT, secretInBody, type BodyText } from './body-credential.ts';
import type { Facts } from './facts.ts';
import type { CredentialLocation, QueryLocation } from './ruleset.ts';
import { ShownCredential } from './shown-credential.ts';

/** A key, and the one of its secrets that the caller showed. */
export interface Identity {
  readonly key: Key;
  readonly secret: KeySecret;
}

/** Where a credential may stand. */
export interface CredentialPlaces {
  readonly facts: Facts;
  /** '' or `?...`. */
  readonly query: string;
  readonly bodyText: BodyText;
}

/**
 * What the caller shows, from the first configured location that holds something.
 * Two locations that hold different texts are refused: the backend might believe the other one.
 */
export function findCredential(
  places: CredentialPlaces,
  locations: readonly CredentialLocation[],
): Decision<ShownCredential> {
  let found: ShownCredential | null = null;
  let hasOther = false;
  for (const location of locations) {
    const read = readLocation(places, location);
    if (read === AMBIGUOUS)
      return refused(
        refusal('malformed_request', `the credential in ${describe(location)} is repeated, or spelt in two ways`),
      );
    if (read === null) continue;
    if (read === NOT_TEXT) {
      hasOther = true;
      continue;
    }
    if (read === DIFFERENT) return refused(CONTRADICTION);
    if (!(read instanceof ShownCredential)) return refused(read);
    if (found !== null && found.text !== read.text) return refused(CONTRADICTION);
    found ??= read;
  }
  if (found !== null && hasOther) return refused(CONTRADICTION);
  return found === null ? refused(refusal('missing_credential', 'no credential in the request')) : allowed(found);
}

/**
 * Where nobody's credential is judged: why one that comes along in a place of this kind could not be taken out before the request
 * goes on, because it is spelled as only some backends read it, or stands in what cannot be read.
 */
export function objectionToUnjudged(
  places: CredentialPlaces,
  locations: readonly CredentialLocation[],
  kind: 'query' | 'body',
): Refusal | null {
  const own = locations.filter((location) => location.kind === kind);
  const found = own.length === 0 ? null : findCredential(places, own);
  if (found === null || found.ok) return null;
  const { code } = found.refusal;
  return code === 'missing_credential' || code === 'invalid_credential' ? null : found.refusal;
}

/** The identity behind a secret's digest (SHA-256, hex), if its key may be used at all at `now` (milliseconds). */
export function identify(digest: string, keys: KeySnapshot, now: number): Decision<Identity> {
  const identity = keys.bySecret.get(digest);
  if (identity === undefined) return refused(invalid('unknown', 'no key has this secret'));
  const { key, secret } = identity;
  if (!key.enabled) return refused(invalid('disabled', `key ${key.id} is disabled`, key.id));
  if (key.expiresAt !== null && key.expiresAt <= now)
    return refused(invalid('expired', `key ${key.id} has expired`, key.id));
  if (secret.expiresAt !== null && secret.expiresAt <= now)
    return refused(invalid('expired', `secret ${secret.id} of key ${key.id} has expired`, key.id));
  return allowed(identity);
}

/** A credential refusal: one public wording for all, told apart only in the log and the metrics. */
export const invalid = (reason: 'unknown' | 'disabled' | 'expired', why: string, keyId = ''): Refusal => ({
  code: 'invalid_credential',
  reason,
  why,
  keyId,
});

const CONTRADICTION = invalid('unknown', 'two locations hold different credentials');
const AMBIGUOUS = Symbol('ambiguous');
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

function readLocation(
  { facts, query, bodyText }: CredentialPlaces,
  location: CredentialLocation,
): ShownCredential | null | typeof AMBIGUOUS | typeof NOT_TEXT | typeof DIFFERENT | Refusal {
  switch (location.kind) {
    case 'bearer':
      return facts.headers.bearer;
    case 'basic-username':
      return shown(basicUsername(facts.headers.authorization ?? ''));
    case 'header':
      return only(fieldValues(facts.rawHeaders, location.name));
    case 'query':
      return query === '' ? null : inQuery(query, location);
    case 'body': {
      const read = secretInBody(bodyText, location);
      return typeof read === 'string' ? new ShownCredential(read) : read;
    }
  }
}

/** RFC 7617: `base64(user-id ":" password)`; vendors send the key as the user-id with an empty password. */
function basicUsername(authorization: string): string | null {
  const encoded = BASIC.exec(authorization)?.[1];
  if (encoded === undefined) return null;
  const userPass = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = userPass.indexOf(':');
  return colon > 0 ? userPass.slice(0, colon) : null;
}

/** A parameter in another spelling, which some backend takes for this one, counts as a repetition, also where it stands alone. */
function inQuery(query: string, { name, isName }: QueryLocation): ShownCredential | null | typeof AMBIGUOUS {
  const values = queryParameters(query)
    .filter((parameter) => parameter.name === name)
    .map(({ value }) => Buffer.from(value).toString('latin1'));
  return countReadAs(query, isName) > values.length ? AMBIGUOUS : only(values);
}

function only(values: readonly string[]): ShownCredential | null | typeof AMBIGUOUS {
  return values.length > 1 ? AMBIGUOUS : shown(values[0]);
}

const shown = (text: string | null | undefined): ShownCredential | null => (text ? new ShownCredential(text) : null);

function describe(location: CredentialLocation): string {
  return 'name' in location ? `${location.kind} ${location.name}` : location.kind;
}
