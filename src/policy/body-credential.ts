/**
 * A credential that stands in the body, as a member of its top-level object: when the body has to be read for it, what it
 * holds, and what the backend gets in its place. An API that names such a place takes JSON bodies alone, and each of them is
 * looked into, also when another place held a credential: the backend might believe the one in the body.
 */
import { cutMember, replaceValue, stringAt } from '../event-filter/member-value.ts';
import type { Decision, Refusal } from '../refusal.ts';
import { authorizationFor } from './credential-handover.ts';
import { announcesBody, type Facts } from './facts.ts';
import type { ApiRules, BodyLocation } from './ruleset.ts';

/** The body without its content coding, or why there is none to look into; null while it was not read. */
export type BodyText = Decision<Buffer> | null;

/** A member that is there, but holds no text: no two backends need agree on what credential that is. */
export const NOT_TEXT = Symbol('not text');

/** Whether a request's body may hold a credential of the API. */
export function mayHoldCredential(facts: Facts, api: ApiRules): boolean {
  return api.looksIntoBody && announcesBody(facts);
}

/**
 * The secret in the body, in the form of a header value: a character a byte. null: none, or the body was not read; a member
 * that is null or empty is none.
 */
export function secretInBody(body: BodyText, location: BodyLocation): string | null | typeof NOT_TEXT | Refusal {
  if (body === null) return null;
  if (!body.ok) return body.refusal;
  const text = body.value;
  // No bytes are no body, whatever the framing announced.
  if (text.length === 0) return null;
  const found = location.find(text);
  if (!found.ok) return found.refusal;
  if (found.value === null) return null;
  const { valueStart, valueEnd } = found.value;
  if (text.toString('latin1', valueStart, valueEnd) === 'null') return null;
  const secret = stringAt(text, found.value);
  if (secret === null || /\p{Cs}/u.test(secret)) return NOT_TEXT;
  return secret === '' ? null : Buffer.from(secret).toString('latin1');
}

/**
 * The text that the backend gets in place of `text`, of which `secretInBody` found nothing to refuse: the member is cut out, or
 * holds the configured upstream credential. null when nothing changes.
 */
export function handOverBody(text: Buffer, api: ApiRules): Buffer | null {
  const authorization = authorizationFor(api);
  if (authorization.kind === 'pass' || text.length === 0) return null;
  let handed = text;
  for (const location of api.credential) {
    if (location.kind !== 'body') continue;
    const found = location.find(handed);
    if (!found.ok) throw new Error(`a body that was judged cannot be read: ${found.refusal.why}`);
    if (found.value === null) continue;
    handed =
      authorization.kind === 'strip'
        ? cutMember(handed, found.value)
        : replaceValue(handed, found.value, authorization.value);
  }
  return handed === text ? null : handed;
}
