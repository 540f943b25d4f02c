/**
 * One request and its answer while they are on their way: what was read, what was decided, what became of it. A plain record
 * that the gateway fills in; it also finds an exchange again by its Node request, or by its socket.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ownText } from '../lib/own-text.ts';
import type { CacheResult, Outcome, UpstreamFailureKind } from '../observability/outcome.ts';
import type { Facts } from '../policy/facts.ts';
import { clientOf, type Passage } from '../policy/pipeline.ts';
import type { Refusal } from '../policy/refusal.ts';
import type { ApiRules } from '../policy/ruleset.ts';
import { connectionOf, remember } from './connection.ts';
import type { Seat } from './in-flight.ts';

/** The body to send on: none, the request's own stream, or bytes that were read already. */
export type ExchangeBody = 'none' | 'stream' | Buffer;

export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly facts: Facts;
  readonly requestId: string;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** null while there is no ruleset to pass by. */
  readonly passage: Passage | null;
  /** The client waits for `100 Continue` before it sends its body (RFC 9110 10.1.1). */
  readonly awaitsContinue: boolean;
  body: ExchangeBody;
  /** The body sent on is not the one received. */
  bodyChanged: boolean;
  forwardedEvents: number;
  removedEvents: number;
  rejectedEvents: number;
  /** What the response cache did, and its `Cache-Status` (RFC 9211). */
  cache: { readonly result: CacheResult; readonly status: string } | null;
  /** Its place among the requests in flight; null: it has none yet. */
  seat: Seat | null;
  refusal: Refusal | null;
  /** The outcome is recorded: nothing more may be answered. */
  settled: boolean;
  /** Stops what goes on for this request beyond its socket, such as an upstream request. */
  abort: (() => void) | null;
}

/** An exchange that passed every step: its API is known. */
export type Admitted = Exchange & { readonly passage: Passage & { readonly api: ApiRules } };

/** What the answer adds to an outcome. */
export interface AnswerFacts {
  /** As sent to the client; `CLIENT_GONE` when it went away before anything was sent. */
  readonly status: number;
  readonly upstreamSeconds?: number | null;
  readonly upstreamFailure?: UpstreamFailureKind | null;
  readonly tokenIssued?: boolean;
}

/** The status recorded for a client that went away before anything was sent (nginx's convention). */
export const CLIENT_GONE = 499;

type Arrival = Pick<Exchange, 'req' | 'res' | 'facts' | 'requestId' | 'startedAt' | 'passage' | 'awaitsContinue'>;

/** Opens an exchange for a request that just arrived. It is its connection's until it is closed. */
export function openExchange(arrival: Arrival): Exchange {
  const { req } = arrival;
  // Written out: spreading several literals into one costs more than all the rest of this function.
  const exchange: Exchange = {
    req,
    res: arrival.res,
    facts: arrival.facts,
    requestId: arrival.requestId,
    startedAt: arrival.startedAt,
    passage: arrival.passage,
    awaitsContinue: arrival.awaitsContinue,
    body: 'none',
    bodyChanged: false,
    forwardedEvents: 0,
    removedEvents: 0,
    rejectedEvents: 0,
    cache: null,
    seat: null,
    refusal: null,
    settled: false,
    abort: null,
  };
  (req as Marked)[EXCHANGE] = exchange;
  (req.socket as Marked)[EXCHANGE] = exchange;
  return exchange;
}

/** Lets go of what an exchange held, once nothing is left to decide about it. */
export function closeExchange(exchange: Exchange): void {
  const { req, passage } = exchange;
  const socket = req.socket as Marked;
  if (socket[EXCHANGE] === exchange) socket[EXCHANGE] = null;
  exchange.body = 'none';
  exchange.abort = null;
  if (passage === null) return;
  passage.bodyText = null;
  remember(connectionOf(req.socket), passage);
}

/** The exchange of a Node request that came out of the framework at the other end. */
export function exchangeOf(req: IncomingMessage): Exchange | undefined {
  return (req as Marked)[EXCHANGE] ?? undefined;
}

/** The latest exchange on a socket, until it is closed. */
export function openExchangeOn(socket: Socket): Exchange | null {
  return (socket as Marked)[EXCHANGE] ?? null;
}

/** What the log, the counters and the list of rejections are made from. `monotonicNow` in milliseconds. */
export function outcomeOf(exchange: Exchange, answer: AnswerFacts, monotonicNow: number): Outcome {
  const { facts, passage, refusal } = exchange;
  const identity = passage?.identity ?? null;
  return {
    requestId: exchange.requestId,
    api: passage?.api?.name ?? '',
    keyId: identity?.key.id ?? refusal?.keyId ?? passage?.wouldReject?.keyId ?? '',
    secretId: identity?.secret.id ?? '',
    method: facts.method,
    path: passage === null ? '' : lastingPath(passage.path, facts.target),
    clientIp: passage === null ? facts.peer.text : clientOf(passage).text,
    status: answer.status,
    refusal,
    wouldReject: passage?.wouldReject ?? null,
    forwardedEvents: exchange.forwardedEvents,
    removedEvents: exchange.removedEvents,
    rejectedEvents: exchange.rejectedEvents,
    durationSeconds: (monotonicNow - exchange.startedAt) / 1000,
    upstreamSeconds: answer.upstreamSeconds ?? null,
    upstreamFailure: answer.upstreamFailure ?? null,
    cache: exchange.cache?.result ?? null,
    tokenIssued: answer.tokenIssued ?? false,
    now: facts.now,
  };
}

/** The path is part of the target, and the latest rejections are kept for long. */
function lastingPath(path: string, target: string): string {
  return target.length - path.length > MAX_KEPT_ALONG ? ownText(path) : path;
}

const MAX_KEPT_ALONG = 256;

/** A property, not a WeakMap: an entry for each request would be work for the garbage collector. */
const EXCHANGE = Symbol('exchange');

interface Marked {
  [EXCHANGE]?: Exchange | null;
}
