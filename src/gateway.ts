/**
 * The request's way: facts -> admit -> body and events -> pass on -> outcome. Every request of the data port comes by here,
 * and every end of a way is recorded here, once. What may pass is decided in policy/; bytes are moved in upstream/.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createBodyWay } from './data-port/admitted-body.ts';
import { answer, isClosing, problemBody, problemHeaders } from './data-port/answer.ts';
import { guardChunks } from './data-port/chunk-guard.ts';
import { corsHeadersFor } from './data-port/cors-headers.ts';
import { connectionOf } from './data-port/connection.ts';
import {
  closeExchange,
  openExchange,
  outcomeOf,
  type Admitted,
  type AnswerFacts,
  type Exchange,
} from './data-port/exchange.ts';
import type { InFlight } from './data-port/in-flight.ts';
import { readFacts } from './data-port/read-facts.ts';
import { acceptableRequestId, requestIds } from './data-port/request-id.ts';
import type { Outcome } from './observability/outcome.ts';
import { preflightHeaders } from './policy/cors.ts';
import { declaredLength } from './policy/facts.ts';
import { admit, enter, type PolicyPorts, type StepResult } from './policy/pipeline.ts';
import { refusal, REFUSALS, type Refusal } from './policy/refusal.ts';
import type { ApiName, Ruleset } from './policy/ruleset.ts';

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
  readonly inFlight: InFlight;
  /** The process is about to end: answers tell clients to take their next request elsewhere. */
  readonly draining: () => boolean;
  readonly clock: Clock;
}

/** `now`: milliseconds since the epoch. `monotonic`: milliseconds from an arbitrary start, never backwards. */
export interface Clock {
  readonly now: () => number;
  readonly monotonic: () => number;
}

export interface Gateway {
  /** Takes a request from the socket to its end. `awaitsContinue`: it came with `Expect: 100-continue`. */
  readonly handle: (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) => void;
  /** Answers with a refusal and records it; does nothing to an exchange that is settled. */
  readonly refuse: (exchange: Exchange, reason: Refusal, facts?: Partial<AnswerFacts>) => void;
  /** Records how an exchange ended that somebody else answered. */
  readonly settle: (exchange: Exchange, facts: AnswerFacts) => void;
}

export function createGateway(ports: GatewayPorts): Gateway {
  const { clock, inFlight } = ports;
  const nextRequestId = requestIds();
  const { takeBody, readCredential } = createBodyWay({ ...ports, refuse, settle, attempt, follow });

  function handle(req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void {
    // The connection closes by itself once the client has read its last answer.
    if (isClosing(req.socket)) return void req.resume();
    if (ports.draining()) res.shouldKeepAlive = false;
    const rules = ports.rules();
    const before = connectionOf(req.socket);
    const facts = readFacts(req, clock.now(), before.section);
    const requestId = acceptableRequestId(facts.headers.requestId) ?? nextRequestId();
    const passage = rules === null ? null : enter(facts, rules, before.visit);
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
    attempt(exchange, () => follow(exchange as Admitted, admit(passage, ports)));
  }

  function follow(exchange: Admitted, result: StepResult | Promise<StepResult>): void | Promise<void> {
    if (!(result instanceof Promise)) return proceed(exchange, result);
    return result.then((late) => proceed(exchange, late));
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
    if (result !== 'passed' && result !== 'body wanted') return refuse(exchange, result);
    const seat = inFlight.take(exchange.passage, exchange.seat);
    if (typeof seat === 'string') return refuse(exchange, refusal('overloaded', seat));
    if (exchange.seat === null) ports.enter(exchange.passage.api.name);
    exchange.seat = seat;
    const { maxBodyBytes } = exchange.passage.api;
    if ((declaredLength(exchange.facts) ?? 0) > maxBodyBytes)
      return refuse(exchange, refusal('body_too_large', `the declared length is over maxBodyBytes (${maxBodyBytes})`));
    if (result === 'passed') takeBody(exchange);
    else readCredential(exchange);
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
    closeExchange(exchange);
    if (exchange.seat !== null) {
      inFlight.leave(exchange.seat);
      ports.leave((exchange as Admitted).passage.api.name);
    }
    ports.record(outcomeOf(exchange, facts, clock.monotonic()));
  }

  return { handle, refuse, settle };
}
