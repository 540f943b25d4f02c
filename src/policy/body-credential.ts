/**
 * A credential that stands in the body, as a member of its object or of its items: when the body has to be read for it, what it
 * holds, and what the backend gets in its place. An API that names such a place takes JSON bodies alone, and each of them is
 * looked into, also when another place held a credential: the backend might believe the one in the body.
 */
import { editMembers, type MemberEdit } from '../event-filter/member-edit.ts';
import { type MemberPlace, stringAt } from '../event-filter/member-value.ts';
import type { Decision, Refusal } from '../refusal.ts';
import { announcesBody, type Facts } from './facts.ts';
import type { RouteMatch } from './route.ts';
import type { ApiRules, BodyLocation, UpstreamAuthorization } from './ruleset.ts';

/** The body without its content coding, or why there is none to look into; null while it was not read. */
export type BodyText = Decision<Buffer> | null;

/** A member that is there, but holds no text: no two backends need agree on what credential that is. */
export const NOT_TEXT = Symbol('not text');
/** Members that hold different texts: the backend might believe any of them. */
export const DIFFERENT = Symbol('different');

/** What the body holds at one location. */
export type FoundInBody = string | null | typeof NOT_TEXT | typeof DIFFERENT | Refusal;

/** Whether a request's body may hold a credential of the API: not where the backend is known to look for none. */
export function mayHoldCredential({ facts, api, route }: Carrier): boolean {
  if (!api.looksIntoBody || !announcesBody(facts)) return false;
  return route === null || !route.route.isSure || route.route.backend.opaque !== true;
}

/** A request, and what it has to do with. */
interface Carrier {
  readonly facts: Facts;
  readonly api: ApiRules;
  readonly route: RouteMatch | null;
}

/**
 * The secret in the body, in the form of a header value: a character a byte. null: none, or the body was not read; a member
 * that is null or empty is none.
 */
export function secretInBody(body: BodyText, location: BodyLocation): FoundInBody {
  if (body === null) return null;
  if (!body.ok) return body.refusal;
  const text = body.value;
  // No bytes are no body, whatever the framing announced.
  if (text.length === 0) return null;
  const found = location.find(text);
  if (!found.ok) return found.refusal;
  let shown: string | null = null;
  let written: MemberPlace | null = null;
  for (const place of found.value) {
    // Every item of a batch has it, and nearly always in the same bytes.
    if (written !== null && isSameText(text, written, place)) continue;
    const secret = secretAt(text, place);
    if (secret === NOT_TEXT) return NOT_TEXT;
    if (secret === null) continue;
    if (shown !== null && shown !== secret) return DIFFERENT;
    shown = secret;
    written = place;
  }
  return shown;
}

const isSameText = (text: Buffer, a: MemberPlace, b: MemberPlace): boolean =>
  text.compare(text, a.valueStart, a.valueEnd, b.valueStart, b.valueEnd) === 0;

function secretAt(text: Buffer, place: MemberPlace): string | null | typeof NOT_TEXT {
  if (text.toString('latin1', place.valueStart, Math.min(place.valueEnd, place.valueStart + 5)) === 'null') return null;
  const secret = stringAt(text, place);
  if (secret === null || /\p{Cs}/u.test(secret)) return NOT_TEXT;
  return secret === '' ? null : Buffer.from(secret).toString('latin1');
}

/** A body as the backend gets it. */
export interface HandedBody {
  readonly text: Buffer;
  /** The upstream's own credential stands in it. */
  readonly holdsCredential: boolean;
}

/**
 * What the backend gets in place of `text`, of which `secretInBody` found nothing to refuse: the members are cut out, or hold the
 * configured upstream credential. null when nothing changes.
 */
export function handOverBody(text: Buffer, { credential, authorization, enforcement }: ApiRules): HandedBody | null {
  // The backend of an API in report mode still checks credentials itself.
  if (text.length === 0 || enforcement === 'report') return null;
  const edits: MemberEdit[] = [];
  let holdsCredential = false;
  credential.forEach((location, i) => {
    const handed = authorization.places[i] as UpstreamAuthorization;
    if (location.kind !== 'body' || handed.kind === 'pass') return;
    const found = location.find(text);
    if (!found.ok) throw new Error(`a body that was judged cannot be read: ${found.refusal.why}`);
    const value = handed.kind === 'literal' ? handed.value : null;
    if (value !== null && found.value.length > 0) holdsCredential = true;
    for (const place of found.value) edits.push({ place, value });
  });
  return edits.length === 0 ? null : { text: editMembers(text, edits), holdsCredential };
}
