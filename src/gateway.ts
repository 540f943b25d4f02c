/**
 * The request's way: facts -> admit -> body and events -> pass on -> outcome. Every request of the data port comes by here,
 * and every end of a way is recorded here, once. What may pass is decided in policy/; bytes are moved in upstream/.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer, isClosing, problemBody, problemHeaders } from './data-port/answer.ts';
import { collectBody } from './data-port/body.ts';
import { guardChunks } from './data-port/chunk-guard.ts';
import { corsHeadersFor } from './data-port/cors-headers.ts';
import { openExchange, outcomeOf, type AnswerFacts, type Exchange } from './data-port/exchange.ts';
import { announcesBody, readFacts } from './data-port/read-facts.ts';
import { acceptableRequestId, requestIds } from './data-port/request-id.ts';
import { decodeBody } from './event-filter/decode.ts';
import type { EventFilter } from './event-filter/filter.ts';
import type { ContentCoding } from './event-filter/media.ts';
import type { Outcome } from './observability/outcome.ts';
import { preflightHeaders } from './policy/cors.ts';
import { checkEventMedia, eventFilterOf } from './policy/events.ts';
import { admit, enter, modeOf, type Passage, type PolicyPorts, type StepResult } from './policy/pipeline.ts';
import { refusal, REFUSALS, type Decision, type Refusal } from './policy/refusal.ts';
import type { ApiName, ApiRules, Ruleset } from './policy/ruleset.ts';

export interface GatewayPorts extends PolicyPorts {
  /** What requests are judged by now; null until keys are loaded. Read once a request. */
  readonly rules: () => Ruleset | null;
  /** Sends an admitted request on; whoever takes it ends it with `settle` or `refuse`. */
  readonly pass: (exchange: Admitted) => void;
  /** Answers an exchange whose steps ended at an endpoint of Postern's own other than a preflight. */
  readonly answerOwn: (exchange: Admitted) => void;
  /** Whether whoever takes the exchange needs the whole body first. */
  readonly needsBody: (exchange: Admitted) => boolean;
  readonly record: (outcome: Outcome) => void;
  /** A request was admitted and is under way, until `leave`. */
  readonly enter: (api: ApiName) => void;
  readonly leave: (api: ApiName) => void;
  readonly maxRequestsInFlight: number;
  /** The process is about to end: answers tell clients to take their next request elsewhere. */
  readonly draining: () => boolean;
  readonly clock: Clock;
}

/** `now`: milliseconds since the epoch. `monotonic`: milliseconds from an arbitrary start, never backwards. */
export interface Clock {
  readonly now: () => number;
  readonly monotonic: () => number;
}

interface EncodedEvents {
  readonly filter: EventFilter;
  readonly coding: ContentCoding;
  readonly body: Buffer;
}

/** An exchange that passed every step: its API is known. */
export type Admitted = Exchange & { readonly passage: Passage & { readonly api: ApiRules } };

export interface Gateway {
  /** Takes a request from the socket to its end. `awaitsContinue`: it came with `Expect: 100-continue`. */
  readonly handle: (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) => void;
  /** Answers with a refusal and records it; does nothing to an exchange that is settled. */
  readonly refuse: (exchange: Exchange, reason: Refusal, facts?: Partial<AnswerFacts>) => void;
  /** Records how an exchange ended that somebody else answered. */
  readonly settle: (exchange: Exchange, facts: AnswerFacts) => void;
}

/** The status recorded for a client that went away before anything was sent (nginx's convention). */
export const CLIENT_GONE = 499;

export function createGateway(ports: GatewayPorts): Gateway {
  const { clock } = ports;
  const nextRequestId = requestIds();
  let inFlight = 0;

  function handle(req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void {
    // The connection closes by itself once the client has read its last answer.
    if (isClosing(req.socket)) return void req.resume();
    if (ports.draining()) res.shouldKeepAlive = false;
    const rules = ports.rules();
    const facts = readFacts(req, clock.now());
    const requestId = acceptableRequestId(facts.headers.requestId) ?? nextRequestId();
    const passage = rules === null ? null : enter(facts, rules);
    const exchange = openExchange({
      req,
      res,
      facts,
      requestId,
      startedAt: clock.monotonic(),
      passage,
      awaitsContinue,
    });
    if (passage === null) return refuse(exchange, refusal('not_ready', 'no keys have been loaded yet'));
    if (facts.headers.transferEncoding !== undefined) guardChunks(req, (why) => breakOff(exchange, why));
    attempt(exchange, () => {
      const result = admit(passage, ports);
      if (!(result instanceof Promise)) return proceed(exchange as Admitted, result);
      return result.then((late) => proceed(exchange as Admitted, late));
    });
  }

  /** A bug on one request's way ends that request, not the process. */
  function attempt(exchange: Exchange, step: () => void | Promise<void>): void {
    const fail = (error: unknown): void =>
      refuse(exchange, refusal('internal_error', `a step failed: ${(error as Error).message}`));
    try {
      step()?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** The rest of the connection can no longer be trusted to be framed as it seems. */
  function breakOff(exchange: Exchange, why: string): void {
    if (exchange.settled) exchange.req.socket.destroy();
    else refuse(exchange, refusal('malformed_request', why));
  }

  function proceed(exchange: Admitted, result: StepResult): void {
    if (exchange.settled) return;
    if (result === 'answered')
      return exchange.passage.endpoint === 'preflight' ? preflight(exchange) : ports.answerOwn(exchange);
    if (result !== 'passed') return refuse(exchange, result);
    if (inFlight >= ports.maxRequestsInFlight)
      return refuse(exchange, refusal('overloaded', `${inFlight} requests are under way (maxRequestsInFlight)`));
    exchange.counted = true;
    inFlight++;
    ports.enter(exchange.passage.api.name);
    takeBody(exchange);
  }

  /** Everything about a body that can be said before it is read is said before `100 Continue`. */
  function takeBody(exchange: Admitted): void {
    const { facts, passage } = exchange;
    const { maxBodyBytes } = passage.api;
    if (Number(facts.headers.contentLength ?? 0) > maxBodyBytes)
      return refuse(exchange, refusal('body_too_large', `the declared length is over maxBodyBytes (${maxBodyBytes})`));
    const filter = passage.wouldReject === null ? eventFilterOf(passage) : null;
    const media = filter === null ? null : checkEventMedia(facts.headers);
    if (media !== null && !media.ok && object(exchange, media.refusal) === 'refused') return;
    if (exchange.awaitsContinue) exchange.res.writeContinue();
    if (filter !== null && media?.ok === true) {
      const coding = media.value;
      return readBody(exchange, (body) => decodeEvents(exchange, { filter, coding, body }));
    }
    if (ports.needsBody(exchange)) return readBody(exchange, () => ports.pass(exchange));
    exchange.body = announcesBody(facts) ? 'stream' : 'none';
    ports.pass(exchange);
  }

  function readBody(exchange: Admitted, then: (body: Buffer) => void): void {
    const { maxBodyBytes } = exchange.passage.api;
    collectBody(exchange.req, maxBodyBytes, (body) => {
      if (exchange.settled) return;
      if (body === 'aborted') return settle(exchange, { status: CLIENT_GONE });
      if (body === 'too_large')
        return refuse(exchange, refusal('body_too_large', `the body is over maxBodyBytes (${maxBodyBytes})`));
      exchange.body = body;
      attempt(exchange, () => then(body));
    });
  }

  function decodeEvents(exchange: Admitted, { filter, coding, body }: EncodedEvents): void {
    if (coding === 'identity') return judgeEvents(exchange, filter, body);
    const judge = (decoded: Decision<Buffer>): void => {
      if (exchange.settled) return;
      if (decoded.ok) judgeEvents(exchange, filter, decoded.value);
      else if (object(exchange, decoded.refusal) === 'reported') ports.pass(exchange);
    };
    attempt(exchange, () => decodeBody(body, coding, exchange.passage.api.maxBodyBytes).then(judge));
  }

  /** In report mode the body goes on as it came, whatever would have been cut. */
  function judgeEvents(exchange: Admitted, filter: EventFilter, body: Buffer): void {
    const result = filter(body);
    if (!result.ok) {
      exchange.rejectedEvents = result.rejected;
      if (object(exchange, result.refusal) === 'refused') return;
    } else {
      exchange.forwardedEvents = result.forwarded;
      exchange.removedEvents = result.removed;
      if (result.cut && modeOf(exchange.passage, 'key') === 'enforce') {
        exchange.body = result.body;
        exchange.bodyChanged = true;
      } else if (result.cut)
        exchange.passage.wouldReject = refusal('event_not_allowed', `${result.removed} events would be removed`);
    }
    ports.pass(exchange);
  }

  /** Refuses, or notes in report mode that enforcement would have. */
  function object(exchange: Admitted, reason: Refusal): 'refused' | 'reported' {
    if (modeOf(exchange.passage, 'key') === 'report') {
      exchange.passage.wouldReject = reason;
      return 'reported';
    }
    refuse(exchange, reason);
    return 'refused';
  }

  function preflight(exchange: Admitted): void {
    const headers = [
      ...preflightHeaders(exchange.facts, exchange.passage.api.cors),
      'X-Request-Id',
      exchange.requestId,
    ];
    answer(exchange, { status: 204, headers, body: '', close: false });
    settle(exchange, { status: 204 });
  }

  function refuse(exchange: Exchange, reason: Refusal, facts: Partial<AnswerFacts> = {}): void {
    if (exchange.settled) return;
    const { status, closes } = REFUSALS[reason.code];
    const { res } = exchange;
    // Whoever refuses after an answer has begun breaks it off: what the client was told stands.
    const told = res.headersSent ? res.statusCode : status;
    if (ports.draining()) res.shouldKeepAlive = false;
    exchange.refusal = reason;
    exchange.abort?.();
    const headers = [...problemHeaders(reason, exchange.requestId), ...corsHeadersFor(exchange.passage)];
    if (exchange.cache !== null) headers.push('Cache-Status', exchange.cache.status);
    answer(exchange, { status, headers, body: problemBody(reason.code, exchange.requestId), close: closes });
    settle(exchange, { ...facts, status: told });
  }

  function settle(exchange: Exchange, facts: AnswerFacts): void {
    if (exchange.settled) return;
    exchange.settled = true;
    if (exchange.counted) {
      inFlight--;
      ports.leave((exchange as Admitted).passage.api.name);
    }
    ports.record(outcomeOf(exchange, facts, clock.monotonic()));
  }

  return { handle, refuse, settle };
}
