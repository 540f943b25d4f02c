/**
 * How exchanges end: answered with a refusal, or answered by somebody else; either way recorded once, with what was counted given
 * back. Also counts how many are under way. Decides about no request but that there are too many.
 */
import { answer, problemBody, problemHeaders } from '../data-port/answer.ts';
import type { ApiName, Outcome } from '../observability/outcome.ts';
import { refusal, REFUSALS, type Refusal } from '../policy/refusal.ts';
import { corsHeadersFor } from './cors-headers.ts';
import { outcomeOf, type AnswerFacts, type Exchange } from './exchange.ts';

export interface EndingPorts {
  readonly record: (outcome: Outcome) => void;
  /** A request is under way, until `leave`. */
  readonly enter: (api: ApiName) => void;
  readonly leave: (api: ApiName) => void;
  readonly maxRequestsInFlight: number;
  /** The process is about to end: answers tell clients to take their next request elsewhere. */
  readonly draining: () => boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface Ending {
  /** Counts an exchange as under way, once; the refusal when there are too many. */
  readonly begin: (exchange: Exchange) => Refusal | null;
  /** Answers with a refusal and records it; does nothing to an exchange that is settled. */
  readonly refuse: (exchange: Exchange, reason: Refusal, facts?: Partial<AnswerFacts>) => void;
  /** Records how an exchange ended that somebody else answered. */
  readonly settle: (exchange: Exchange, facts: AnswerFacts) => void;
}

export function createEnding(ports: EndingPorts): Ending {
  let inFlight = 0;

  function begin(exchange: Exchange): Refusal | null {
    if (exchange.counted || exchange.api === null) return null;
    if (inFlight >= ports.maxRequestsInFlight)
      return refusal('overloaded', `${inFlight} requests are under way (maxRequestsInFlight)`);
    exchange.counted = true;
    inFlight++;
    ports.enter(exchange.api.name);
    return null;
  }

  function refuse(exchange: Exchange, reason: Refusal, facts: Partial<AnswerFacts> = {}): void {
    if (exchange.settled) return;
    const { status, closes } = REFUSALS[reason.code];
    const { res, requestId } = exchange;
    // Whoever refuses after an answer has begun breaks it off: what the client was told stands.
    const told = res.headersSent ? res.statusCode : status;
    if (ports.draining()) res.shouldKeepAlive = false;
    exchange.refusal = reason;
    exchange.abort?.();
    const own = exchange.refusalForm?.(reason);
    if (own !== undefined) {
      answer(exchange, { ...own, close: closes });
      return settle(exchange, { ...facts, status: own.status });
    }
    const headers = [...problemHeaders(reason, requestId), ...corsHeadersFor(exchange)];
    if (exchange.cache !== null) headers.push('Cache-Status', exchange.cache.status);
    answer(exchange, { status, headers, body: problemBody(reason.code, requestId), close: closes });
    settle(exchange, { ...facts, status: told });
  }

  function settle(exchange: Exchange, facts: AnswerFacts): void {
    if (exchange.settled) return;
    exchange.settled = true;
    // The connection remembers its latest exchange, which may be the last for a long time.
    exchange.body = 'unread';
    exchange.bodyText = null;
    if (exchange.counted && exchange.api !== null) {
      inFlight--;
      ports.leave(exchange.api.name);
    }
    ports.record(outcomeOf(exchange, facts, ports.now()));
  }

  return { begin, refuse, settle };
}
