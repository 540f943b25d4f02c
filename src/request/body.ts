/**
 * What becomes of a request's body: it is read when somebody has to look into it, the credential in it is handed over, its events
 * are judged; a body that nobody looks into streams. What is right is decided in policy/ and event-filter/.
 */
import { holdsBase64Json } from '../event-filter/base64-reading.ts';
import { decodeBody } from '../event-filter/decode.ts';
import { openBody, type Envelope } from '../event-filter/envelope.ts';
import type { ContentCoding } from '../event-filter/media.ts';
import type { NotedNames } from '../event-filter/noted-names.ts';
import { handOverBody, mayHoldCredential } from '../policy/body-credential.ts';
import { findCredential, objectionToUnjudged } from '../policy/credential.ts';
import { checkEventMedia, eventFilterOf } from '../policy/events.ts';
import { announcesBody, declaredLength } from '../policy/facts.ts';
import { ruleOfKey } from '../policy/rule.ts';
import { allowed, refusal, type Decision, type Refusal } from '../refusal.ts';
import { isPublic, maxBodyBytesOf, type Passage, type Routed } from './passage.ts';
import type { Verdict, Wait } from './run.ts';

/**
 * Sees to it that `bodyText` holds the JSON text of the body, without its content coding and what stands around it, or why there is
 * none. null: it does; else the wait for the next step of it. What the header fields rule out is said before a byte is read.
 */
export function readText(passage: Routed): Wait | null {
  if (passage.bodyText !== null) return afterLook(passage, passage.bodyText);
  const { body, facts, route } = passage;
  const coding = checkEventMedia(facts.headers, route?.route ?? null);
  if (!coding.ok) passage.bodyText = coding;
  else if (!Buffer.isBuffer(body)) return (resume) => passage.readBody(maxBodyBytesOf(passage), resume);
  else if (coding.value === 'identity') return open(passage, body, false);
  else return (resume) => void decode(passage, body, coding.value).then(resume);
  return null;
}

/** The refusal when there is no room for what came out. */
async function decode(passage: Routed, body: Buffer, coding: ContentCoding): Promise<Refusal | null> {
  const decoded = await decodeBody(body, coding, maxBodyBytesOf(passage));
  const full = decoded.ok ? passage.hold(decoded.value.length) : null;
  if (decoded.ok) open(passage, decoded.value, true);
  else passage.bodyText = decoded;
  return full;
}

/** `body`: without its content coding. */
function open(passage: Routed, body: Buffer, wasCoded: boolean): Wait | null {
  const { facts, route } = passage;
  const received = { body, contentType: facts.headers.contentType, wasCoded, maxBytes: maxBodyBytesOf(passage) };
  const opened = route === null ? null : openBody(received, route.route.envelope);
  if (opened instanceof Promise) return (resume) => void opened.then((late) => resume(keepInflated(passage, late)));
  if (opened === null) passage.bodyText = allowed(body);
  else keepOpened(passage, opened);
  return null;
}

function keepOpened(passage: Passage, opened: Decision<Envelope>): void {
  passage.bodyText = opened.ok ? allowed(opened.value.text) : opened;
  if (opened.ok) passage.envelope = opened.value;
}

/** The refusal when there is no room for what came out. */
function keepInflated(passage: Passage, opened: Decision<Envelope>): Refusal | null {
  keepOpened(passage, opened);
  return opened.ok ? passage.hold(opened.value.text.length) : null;
}

/** The body that holds a text, in the form in which it came. */
function bodyWith({ envelope }: Passage, text: Buffer): Buffer {
  if (envelope === null) return text;
  return text === envelope.text ? envelope.kept : envelope.close(text);
}

/** What is declared to be over the limit is not waited for. */
export function checkLength(passage: Routed): Verdict {
  const most = maxBodyBytesOf(passage);
  return (declaredLength(passage.facts) ?? 0) > most ? bodyTooLarge(most) : 'passed';
}

/** A text that was looked through already in this turn: a large one leaves the others a turn before it is again. */
function afterLook(passage: Passage, text: Decision<Buffer>): Wait | null {
  if (!passage.lookedThrough || !text.ok || text.value.length < LARGE_BYTES) return null;
  passage.lookedThrough = false;
  return (resume) => void setImmediate(resume, null);
}

const LARGE_BYTES = 65_536;

/**
 * What stands in the body must not contradict what was found elsewhere: the backend might believe the one in the body. Then it is
 * taken out, or replaced by the upstream's own.
 */
export function compareCredentials(passage: Routed): Verdict | Wait {
  if (!mayHoldCredential(passage)) return 'passed';
  const wait = readText(passage);
  if (wait !== null) return wait;
  const refused = refusedCredential(passage);
  passage.lookedThrough = true;
  if (refused !== null) return refused;
  const text = passage.bodyText;
  if (text === null || !text.ok) return 'passed';
  // In report mode the API's backend still looks for credentials itself, in the body as it came.
  return { apply: () => handOver(passage, text.value), objection: null };
}

function refusedCredential(passage: Routed): Refusal | null {
  const { credential } = passage.api;
  if (isPublic(passage)) return objectionToUnjudged(passage, credential, 'body');
  const found = findCredential(passage, credential);
  return found.ok ? null : found.refusal;
}

function handOver(passage: Routed, text: Buffer): void {
  const handed = handOverBody(text, passage.api);
  sendJudged(passage, bodyWith(passage, handed?.text ?? text));
  if (handed === null) return;
  passage.bodyText = allowed(handed.text);
  passage.bodyHandedOver = handed.holdsCredential;
}

export function judgeEvents(
  passage: Routed,
  { observing }: { readonly observing: { readonly notes: NotedNames } | null },
): Verdict | Wait {
  const { identity, route } = passage;
  if (identity === null || route === null) return 'passed';
  const { key } = identity;
  const notes = observing?.notes ?? null;
  const filter = eventFilterOf(key, route.route, notes);
  if (filter === null) return 'passed';
  const wait = readText(passage);
  if (wait !== null) return wait;
  const text = passage.bodyText;
  if (text === null || !text.ok) return text?.refusal ?? 'passed';
  notes?.begin();
  const result = filter(text.value);
  if (notes !== null && (result.ok || result.refusal.code === 'event_not_allowed')) passage.eventNames = notes.take();
  passage.refusedNames = result.names;
  if (!result.ok) {
    passage.rejectedEvents = result.rejected;
    const isListed = result.refusal.code === 'event_not_allowed';
    return isListed ? { ...result.refusal, rule: ruleOfKey(key, 'allowedEvents') } : result.refusal;
  }
  const body = bodyWith(passage, result.body);
  if (route.route.backend.base64 === true && isOtherInBase64(passage, body)) return OTHER_IN_BASE64;
  passage.forwardedEvents = result.forwarded;
  passage.removedEvents = result.removed;
  return {
    apply: () => {
      passage.eventsJudged = true;
      sendJudged(passage, body);
    },
    objection: result.cut
      ? refusal('event_not_allowed', `${result.removed} events would be removed`, ruleOfKey(key, 'allowedEvents'))
      : null,
  };
}

/**
 * What was judged is what is sent: a body can be one text as it stands and another one decoded, and most backends decode nothing.
 * And it is called what it was judged as.
 */
function sendJudged(passage: Passage, body: Buffer): void {
  passage.bodyJudged = true;
  if (isUntyped(passage) || passage.envelope?.isPlain === true) passage.typeOfUntyped = 'application/json';
  if (passage.body === body) return;
  passage.body = body;
  passage.bodyChanged = true;
}

/** What a reader of base64 makes of a body that is no JSON itself, beside what was judged in it. */
function isOtherInBase64({ envelope }: Passage, body: Buffer): boolean {
  return envelope !== null && !envelope.isPlain && holdsBase64Json(body, envelope.valueStart);
}

const OTHER_IN_BASE64 = refusal('ambiguous_body', 'body: around its events other JSON to a backend that reads base64');

/**
 * A body whose sender did not say what it is, of somebody who may not use every method or route, gets a type: to some backends
 * (Rack among them) it is a form otherwise, which could hold events and methods that nobody looked for.
 */
export function nameUntyped(passage: Passage): Verdict {
  if (!isUntyped(passage)) return 'passed';
  const carriesEvents = (passage.route?.route.events ?? null) !== null;
  return {
    apply: () => {
      passage.typeOfUntyped = carriesEvents ? 'application/json' : 'application/octet-stream';
    },
    objection: null,
  };
}

/**
 * A type that is empty, or parameters of no type, say as little as none: WebOb reads such a body as a form, too. What it and
 * other readers strip as white space counts as nothing.
 */
function isUntyped({ facts }: Passage): boolean {
  const { contentType } = facts.headers;
  if (contentType === 'application/json') return false;
  return (contentType === undefined || NO_TYPE.test(contentType)) && announcesBody(facts);
}

const NO_TYPE = /^[\s\u0085]*(?:[;,]|$)/;

/** Of a body that is over the limit, declared or not. */
export const bodyTooLarge = (maxBytes: number): Refusal =>
  refusal('body_too_large', `the body is over its limit of ${maxBytes} bytes`);
