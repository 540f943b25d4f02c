/**
 * What becomes of a request's body: it is read when somebody has to look into it, the credential in it is handed over, its events
 * are judged; a body that nobody looks into streams. What is right is decided in policy/ and event-filter/.
 */
import { decodeBody } from '../event-filter/decode.ts';
import type { ContentCoding } from '../event-filter/media.ts';
import type { NotedNames } from '../event-filter/noted-names.ts';
import { handOverBody, mayHoldCredential } from '../policy/body-credential.ts';
import { findCredential, objectionToUnjudged } from '../policy/credential.ts';
import { checkEventMedia, eventFilterOf } from '../policy/events.ts';
import { announcesBody, declaredLength } from '../policy/facts.ts';
import type { ApiRules } from '../policy/ruleset.ts';
import { allowed, refusal, type Decision, type Refusal } from '../refusal.ts';
import { isPublic, type Passage, type Routed } from './passage.ts';
import type { Verdict, Wait } from './run.ts';

/**
 * Sees to it that `bodyText` holds the body without its content coding, or why there is none. null: it does; else the wait for the
 * next step of it. What the header fields rule out is said before a byte is read.
 */
export function readText(passage: Routed): Wait | null {
  if (passage.bodyText !== null) return afterLook(passage, passage.bodyText);
  const { body, api, facts } = passage;
  const coding = checkEventMedia(facts.headers);
  if (!coding.ok) passage.bodyText = coding;
  else if (!Buffer.isBuffer(body)) return (resume) => passage.readBody(api.maxBodyBytes, resume);
  else if (coding.value === 'identity') passage.bodyText = allowed(body);
  else return (resume) => void decode(passage, body, coding.value).then(() => resume(null));
  return null;
}

async function decode(passage: Routed, body: Buffer, coding: ContentCoding): Promise<void> {
  passage.bodyText = await decodeBody(body, coding, passage.api.maxBodyBytes);
}

/** What is declared to be over the limit is not waited for. */
export function checkLength({ facts, api }: Routed): Verdict {
  return (declaredLength(facts) ?? 0) > api.maxBodyBytes ? bodyTooLarge(api) : 'passed';
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
  sendJudged(passage, handed?.text ?? text);
  if (handed === null) return;
  passage.bodyText = allowed(handed.text);
  passage.bodyHandedOver = handed.holdsCredential;
}

export function judgeEvents(passage: Routed, { notes }: { readonly notes: NotedNames | null }): Verdict | Wait {
  const { identity, route } = passage;
  const filter = identity === null || route === null ? null : eventFilterOf(identity.key, route.route, notes);
  if (filter === null) return 'passed';
  const wait = readText(passage);
  if (wait !== null) return wait;
  const text = passage.bodyText;
  if (text === null || !text.ok) return text?.refusal ?? 'passed';
  notes?.begin();
  const result = filter(text.value);
  if (notes !== null && (result.ok || result.refusal.code === 'event_not_allowed')) passage.eventNames = notes.take();
  if (!result.ok) {
    passage.rejectedEvents = result.rejected;
    return result.refusal;
  }
  passage.forwardedEvents = result.forwarded;
  passage.removedEvents = result.removed;
  return {
    apply: () => sendJudged(passage, result.body),
    objection: result.cut ? refusal('event_not_allowed', `${result.removed} events would be removed`) : null,
  };
}

/**
 * What was judged is what is sent: a body can be one text as it stands and another one decoded, and most backends decode nothing.
 * And it is called what it was judged as.
 */
function sendJudged(passage: Passage, text: Buffer): void {
  passage.bodyJudged = true;
  if (isUntyped(passage)) passage.typeOfUntyped = 'application/json';
  if (passage.body === text) return;
  passage.body = text;
  passage.bodyChanged = true;
}

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
export const bodyTooLarge = ({ maxBodyBytes }: ApiRules): Refusal =>
  refusal('body_too_large', `the body is over maxBodyBytes (${maxBodyBytes})`);
