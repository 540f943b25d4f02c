/**
 * Requests that make something may be sent again without making it twice: whoever names a request by an `Idempotency-Key` gets the
 * first answer again, secret and all. Answers are held in memory alone, for their own caller alone, and not for long.
 */
import { sha256Hex } from '../lib/digest.ts';
import type { Answer, Call } from './operation.ts';
import { isAdminProblem, problem } from './problem.ts';

export interface Repeats {
  /** What `make` answers, or what it answered when the caller sent the same request under the same name before. */
  readonly once: (call: Call, operationId: string, make: () => Answer | Promise<Answer>) => Promise<Answer>;
}

interface Made {
  readonly fingerprint: string;
  readonly answer: Promise<Answer>;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** For how long an answer is held, in milliseconds. It may hold a secret. */
const HELD_MS = 600_000;
/** The oldest go first. */
const MOST_HELD = 200;
const LONGEST_NAME = 255;

/** `now`: milliseconds since the epoch. */
export function createRepeats({ now }: { readonly now: () => number }): Repeats {
  const held = new Map<string, Made>();

  const forgetOld = (): void => {
    for (const [name, { until }] of held) {
      if (until > now() && held.size <= MOST_HELD) return;
      held.delete(name);
    }
  };

  return {
    async once(call, operationId, make) {
      const { idempotencyKey } = call;
      if (idempotencyKey === undefined) return make();
      if (!/^[\x21-\x7e]+$/.test(idempotencyKey) || idempotencyKey.length > LONGEST_NAME) return MALFORMED;
      forgetOld();
      // Another caller who guesses the name must not be told the secret.
      const { token, session } = call.caller;
      const name = JSON.stringify([token.id, token.digest, session?.name ?? null, idempotencyKey]);
      const fingerprint = fingerprintOf(operationId, call);
      const before = held.get(name);
      if (before !== undefined) return before.fingerprint === fingerprint ? before.answer : REUSED;
      const answer = Promise.resolve().then(make);
      held.set(name, { fingerprint, answer, until: now() + HELD_MS });
      const forget = (): void => {
        if (held.get(name)?.answer === answer) held.delete(name);
      };
      // What was not made may be tried again.
      void answer.then((made) => isAdminProblem(made) && forget(), forget);
      return answer;
    },
  };
}

const fingerprintOf = (operationId: string, { params, body, ifMatch }: Call): string =>
  sha256Hex(JSON.stringify([operationId, params, body, ifMatch]));

const MALFORMED = problem(
  'malformed_request',
  `Idempotency-Key has to be sent once, with 1 to ${LONGEST_NAME} visible ASCII characters.`,
);

const REUSED = problem(
  'idempotency_key_reused',
  'This Idempotency-Key was sent with another request. Name each request by a new random one.',
);
