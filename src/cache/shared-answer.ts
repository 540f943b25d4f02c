/**
 * One call to the backend for all who wait for its answer: gathers it, keeps it if it may be kept, and says what those who
 * waited may do with it. The call belongs to nobody's connection.
 */
import { withoutField } from '../lib/header-list.ts';
import type { Call, IsLatest } from '../lib/single-flight.ts';
import { tellsItsEnd } from '../upstream/answer-framing.ts';
import { clientHeaders } from '../upstream/headers.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import { variantKey } from './cache-key.ts';
import type { CacheContext, CacheQuery } from './query.ts';
import type { Answer, AnswerEntry } from './store.ts';
import { collect, type Collected, type TakeStream } from './collect.ts';
import { contentLength, fieldValue, storability, type AnswerHead } from './storability.ts';

/** What came of a call. `answer`: for all whose headers give `key`. `error`: the backend answered 5xx. `stream`: for one taker. */
export type Shared =
  | {
      readonly kind: 'answer';
      readonly answer: Answer;
      readonly key: string;
      readonly vary: readonly string[];
      readonly stored: boolean;
    }
  | { readonly kind: 'error'; readonly answer: Answer; readonly shareable: boolean }
  | { readonly kind: 'stream'; readonly status: number; readonly take: TakeStream }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure };

/** The leader's request, and under which keys it stands. */
export interface SharedCall {
  readonly query: CacheQuery;
  readonly baseKey: string;
  /** The key that the flight goes by: the base key, or the variant's when it was known. */
  readonly flightKey: string;
  readonly freshMs: number;
}

/** Asks the backend. The answer is in the store before the result is there. */
export function callUpstream(context: CacheContext, call: SharedCall, isLatest: IsLatest): Call<Shared> {
  const { maxEntryBytes } = context.settings;
  const collecting = collect((sink) => call.query.send(sink), {
    maxBytes: maxEntryBytes,
    keeps: (head) => isWorthGathering(head, maxEntryBytes, call.query.isShared),
  });
  return {
    result: collecting.result.then((collected) => share(context, call, collected, isLatest)),
    abort: collecting.abort,
  };
}

function isWorthGathering(head: AnswerHead, maxBytes: number, isShared: boolean): boolean {
  if ((contentLength(head.headers) ?? 0) > maxBytes) return false;
  const { kind } = storability(head, isShared);
  // Without a length or chunks, the end of the connection ends the answer, and half of it looks whole (RFC 9112 6.3).
  return kind === 'failure' || (kind === 'storable' && tellsItsEnd(head.headers));
}

function share(context: CacheContext, call: SharedCall, collected: Collected, isLatest: IsLatest): Shared {
  if (collected.kind === 'failed') return collected;
  if (collected.kind === 'stream') {
    const { status } = collected.head;
    // The backend has a newer answer that may not be kept: the older one must not come back after it.
    if (status >= 200 && status < 300 && isLatest()) void context.store.delete(call.flightKey);
    return { kind: 'stream', status, take: collected.take };
  }
  const answer = toAnswer(collected.head, collected.body);
  const verdict = storability(collected.head, call.query.isShared);
  if (verdict.kind !== 'storable')
    return { kind: 'error', answer, shareable: verdict.kind === 'failure' && verdict.shareable };
  const { vary } = verdict;
  const key = vary.length === 0 ? call.baseKey : variantKey(call.baseKey, vary, call.query.headers());
  const stored = isLatest();
  if (stored) keep(context, call, { key, vary, answer });
  return { kind: 'answer', answer, key, vary, stored };
}

interface Keeping {
  readonly key: string;
  readonly vary: readonly string[];
  readonly answer: Answer;
}

function keep({ store, settings, now }: CacheContext, call: SharedCall, { key, vary, answer }: Keeping): void {
  const ttlMs = call.freshMs + settings.staleIfErrorMs;
  if (vary.length > 0) void store.set(call.baseKey, { kind: 'vary', names: vary }, ttlMs);
  void store.set(key, toEntry(answer, now(), call.freshMs), ttlMs);
}

/**
 * As it is sent to each client: the connection's own fields are gone, and the length is known now. `X-Request-Id` is each
 * request's own.
 */
function toAnswer({ status, statusText, headers }: AnswerHead, body: Buffer): Answer {
  const added = contentLength(headers) === null ? ['Content-Length', String(body.length)] : [];
  const passed = clientHeaders({ rawHeaders: headers, cors: null, added });
  // An answer with a length has no trailers to announce, and Node refuses to try.
  const whole = withoutField(passed, 'trailer');
  return { status, statusText, headers: withoutField(whole, 'x-request-id'), body };
}

function toEntry(answer: Answer, storedAt: number, freshMs: number): AnswerEntry {
  const age = fieldValue(answer.headers, 'age');
  const initialAge = /^\d{1,9}$/.test(age) ? Number(age) : 0;
  return { ...answer, kind: 'answer', headers: withoutField(answer.headers, 'age'), storedAt, freshMs, initialAge };
}
