/**
 * What becomes of a request's body: it is read when somebody has to look into it, the credential in it is handed over, its events
 * are judged; a body that nobody looks into streams. What is right is decided in policy/ and event-filter/.
 */
import { decodeBody } from '../event-filter/decode.ts';
import type { ContentCoding } from '../event-filter/media.ts';
import { handOverBody, mayHoldCredential } from '../policy/body-credential.ts';
import { findCredential } from '../policy/credential.ts';
import { checkEventMedia, eventFilterOf } from '../policy/events.ts';
import { declaredLength } from '../policy/facts.ts';
import { allowed, refusal, type Refusal } from '../policy/refusal.ts';
import type { ApiRules } from '../policy/ruleset.ts';
import type { Passage, Routed } from './passage.ts';
import type { Verdict, Wait } from './run.ts';

/**
 * Sees to it that `bodyText` holds the body without its content coding, or why there is none. null: it does; else the wait for the
 * next step of it. What the header fields rule out is said before a byte is read.
 */
export function readText(passage: Routed): Wait | null {
  if (passage.bodyText !== null) return null;
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

/**
 * What stands in the body must not contradict what was found elsewhere: the backend might believe the one in the body. Then it is
 * taken out, or replaced by the upstream's own.
 */
export function compareCredentials(passage: Routed): Verdict | Wait {
  if (!mayHoldCredential(passage.facts, passage.api)) return 'passed';
  const wait = readText(passage);
  if (wait !== null) return wait;
  const found = findCredential(passage, passage.api.credential);
  if (!found.ok) return found.refusal;
  const handed = passage.bodyText?.ok ? handOverBody(passage.bodyText.value, passage.api) : null;
  if (handed === null) return 'passed';
  passage.bodyText = allowed(handed);
  passage.bodyHandedOver = true;
  replaceBody(passage, handed);
  return 'passed';
}

export function judgeEvents(passage: Routed): Verdict | Wait {
  const { identity, route } = passage;
  const filter = identity === null || route === null ? null : eventFilterOf(identity.key, route.route);
  if (filter === null) return 'passed';
  const wait = readText(passage);
  if (wait !== null) return wait;
  const text = passage.bodyText;
  if (text === null || !text.ok) return text?.refusal ?? 'passed';
  const result = filter(text.value);
  if (!result.ok) {
    passage.rejectedEvents = result.rejected;
    return result.refusal;
  }
  passage.forwardedEvents = result.forwarded;
  passage.removedEvents = result.removed;
  if (!result.cut) return 'passed';
  return {
    apply: () => replaceBody(passage, result.body),
    objection: refusal('event_not_allowed', `${result.removed} events would be removed`),
  };
}

function replaceBody(passage: Passage, body: Buffer): void {
  passage.body = body;
  passage.bodyChanged = true;
}

/** Of a body that is over the limit, declared or not. */
export const bodyTooLarge = ({ maxBodyBytes }: ApiRules): Refusal =>
  refusal('body_too_large', `the body is over maxBodyBytes (${maxBodyBytes})`);
