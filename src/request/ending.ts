/**
 * How exchanges end: answered with a refusal, or answered by somebody else; either way recorded once, with what was counted given
 * back. Also counts how many are under way. Decides about no request but that there are too many.
 */
import { answer, problemBody, problemHeaders } from '../data-port/answer.ts';
import type { Outcome } from '../observability/outcome.ts';
import type { ApiName } from '../policy/ruleset.ts';
import type { RequestTrace } from '../telemetry/tracing.ts';
import { refusal, REFUSALS, type Refusal } from '../refusal.ts';
import { connectionOf, remember } from './connection.ts';
import { corsHeadersFor } from './cors-headers.ts';
import { CLIENT_GONE, outcomeOf, type AnswerFacts, type Exchange } from './exchange.ts';
import { quotaHeaders, schemeOf } from './fields.ts';
import type { InFlight } from './in-flight.ts';
import type { Observing } from './observing.ts';
import { isRouted } from './passage.ts';
import { modeOf } from './run.ts';

export interface EndingPorts {
  readonly record: (outcome: Outcome) => void;
  /** null: nothing is observed. */
  readonly observing: Pick<Observing, 'count'> | null;
  /** A request is under way, until `leave`. */
  readonly enter: (api: ApiName) => void;
  readonly leave: (api: ApiName) => void;
  readonly inFlight: InFlight;
  /** The process is about to end: answers tell clients to take their next request elsewhere. */
  readonly draining: () => boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface Ending {
  /** Gives an exchange its seat among those under way, by what is known of it by now; the refusal when there is none. */
  readonly begin: (exchange: Exchange) => Refusal | null;
  /** Gives the body of an exchange that has a seat room for so many more bytes, until its end; the refusal when there is none. */
  readonly hold: (exchange: Exchange, bytes: number) => Refusal | null;
  /** Answers with a refusal and records it; does nothing to an exchange that is settled. */
  readonly refuse: (exchange: Exchange, reason: Refusal) => void;
  /** Records how an exchange ended that somebody else answered. */
  readonly settle: (exchange: Exchange, facts: AnswerFacts) => void;
}

export function createEnding(ports: EndingPorts): Ending {
  function begin(exchange: Exchange): Refusal | null {
    if (!isRouted(exchange) || (exchange.seat !== null && exchange.seatOf === exchange.identity)) return null;
    const seat = ports.inFlight.take(exchange, exchange.seat, exchange.heldBytes);
    if (typeof seat === 'string') return refusal('overloaded', seat, 'listen.maxRequestsInFlight');
    if (exchange.seat === null) ports.enter(exchange.api.name);
    exchange.seat = seat;
    exchange.seatOf = exchange.identity;
    return null;
  }

  function hold(exchange: Exchange, bytes: number): Refusal | null {
    if (exchange.settled) return null;
    if (exchange.seat === null) throw new Error('a body was read before its request had a seat');
    const why = ports.inFlight.hold(exchange.seat, exchange.heldBytes, bytes);
    if (why !== null) return refusal('overloaded', why, 'listen.maxBodyBytesInFlight');
    exchange.heldBytes += bytes;
    return null;
  }

  function refuse(exchange: Exchange, reason: Refusal): void {
    if (exchange.settled) return;
    const { status, closes } = REFUSALS[reason.code];
    const { res, requestId } = exchange;
    // Whoever refuses after an answer has begun breaks it off: what the client was told stands.
    const aborted = res.headersSent;
    const told = aborted ? res.statusCode : status;
    if (ports.draining()) res.shouldKeepAlive = false;
    exchange.refusal = reason;
    exchange.abort?.();
    const own = exchange.refusalForm?.(reason);
    if (own !== undefined) {
      answer(exchange, { ...own, close: closes });
      return settle(exchange, { status: own.status, aborted });
    }
    const headers = [...problemHeaders(reason, requestId), ...corsHeadersFor(exchange)];
    headers.push(...quotaHeaders(exchange));
    if (exchange.cache !== null) headers.push('Cache-Status', exchange.cache.status);
    const body = problemBody(reason, requestId, exchange.api?.refusalForm ?? 'problem');
    answer(exchange, { status, headers, body, close: closes });
    settle(exchange, { status: told, aborted });
  }

  function settle(exchange: Exchange, facts: AnswerFacts): void {
    if (exchange.settled) return;
    exchange.settled = true;
    ports.observing?.count(exchange, facts);
    letGo(exchange);
    if (exchange.seat !== null && exchange.api !== null) {
      ports.inFlight.leave(exchange.seat, exchange.heldBytes);
      ports.leave(exchange.api.name);
    }
    const outcome = outcomeOf(exchange, facts, ports.now());
    if (exchange.trace !== null) endTrace(exchange, exchange.trace, outcome);
    ports.record(outcome);
  }

  return { begin, hold, refuse, settle };
}

function endTrace(exchange: Exchange, trace: RequestTrace, outcome: Outcome): void {
  const { facts, res, route } = exchange;
  trace.end({
    outcome,
    answered: outcome.status !== CLIENT_GONE || res.headersSent,
    scheme: schemeOf(exchange),
    httpVersion: facts.httpVersion,
    route: route?.route.pattern ?? null,
    mode: modeOf(exchange, 'key'),
  });
}

/** Nothing is left to decide about it, and its connection may stay for long. */
function letGo(exchange: Exchange): void {
  const connection = connectionOf(exchange.req.socket);
  if (connection.open === exchange) connection.open = null;
  exchange.body = 'unread';
  exchange.bodyText = null;
  exchange.abort = null;
  exchange.refusalForm = null;
  remember(connection, exchange);
}
