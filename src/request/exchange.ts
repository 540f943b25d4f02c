/**
 * One request and its answer while they are on their way: the passage, with the sockets that it came by. Reads its own body, and
 * says at its end what became of it. Decides nothing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { collectBody } from '../data-port/body.ts';
import { continueInTurn } from '../lib/pipelining.ts';
import { readTraceparent } from '../lib/trace-context.ts';
import type { CacheResult, Outcome, UpstreamFailureKind } from '../observability/outcome.ts';
import type { RequestTrace } from '../telemetry/tracing.ts';
import type { TokenAnswer } from '../tokens/token-answer.ts';
import type { BodyText } from '../policy/body-credential.ts';
import type { ClientAddress } from '../policy/client-address.ts';
import type { Identity } from '../policy/credential.ts';
import { announcesBody, declaredLength, type Facts } from '../policy/facts.ts';
import type { RouteMatch } from '../policy/route.ts';
import type { ApiRules, Ruleset } from '../policy/ruleset.ts';
import type { Refusal } from '../refusal.ts';
import { bodyTooLarge } from './body.ts';
import type { Seat } from './in-flight.ts';
import { clientOf, type Body, type BodyRead, type OwnEndpoint, type Passage, type Place } from './passage.ts';
import { pathToWrite } from './written-path.ts';

/** What the answer adds to an outcome. */
export interface AnswerFacts {
  /** As sent to the client; `CLIENT_GONE` when it went away before anything was sent. */
  readonly status: number;
  readonly tokenIssued?: boolean;
  /** The answer was cut off after it had begun. */
  readonly aborted?: boolean;
}

/** The status recorded for a client that went away before anything was sent (nginx's convention). */
export const CLIENT_GONE = 499;

/** How a request arrived. */
export interface Arrival {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly facts: Facts;
  readonly rules: Ruleset;
  readonly requestId: string;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** The client waits for `100 Continue` before it sends its body (RFC 9110 10.1.1). */
  readonly awaitsContinue: boolean;
  /** Where it goes, if the request before it on its connection went there by the same rules. */
  readonly place: Place;
  /** Its part in a trace; null: there are no traces. */
  readonly trace: RequestTrace | null;
  /** Told once when the client leaves before its answer. */
  readonly onGone: (exchange: Exchange) => void;
  /** Room for so many more bytes of its body; the refusal when there is none. */
  readonly onHold: (exchange: Exchange, bytes: number) => Refusal | null;
}

/** Of a client that left: what it was told by then stands, such as the head of an event stream or of half a download. */
export const goneFacts = ({ res }: Exchange): AnswerFacts =>
  res.headersSent ? { status: res.statusCode, aborted: true } : { status: CLIENT_GONE };

const NO_NAMES: readonly string[] = [];

export class Exchange implements Passage {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly facts: Facts;
  readonly rules: Ruleset;
  readonly requestId: string;
  readonly startedAt: number;
  readonly trace: RequestTrace | null;
  path: string;
  isAmbiguous = false;
  query: string;
  api: ApiRules | null;
  route: RouteMatch | null;
  endpoint: OwnEndpoint | null = null;
  identity: Identity | null = null;
  client: ClientAddress | null = null;
  body: Body = 'unread';
  bodyText: BodyText = null;
  envelope: Passage['envelope'] = null;
  bodyHandedOver = false;
  lookedThrough = false;
  bodyChanged = false;
  bodyJudged = false;
  eventsJudged = false;
  typeOfUntyped: Passage['typeOfUntyped'] = null;
  forwardedEvents = 0;
  removedEvents = 0;
  rejectedEvents = 0;
  refusedNames: readonly string[] = NO_NAMES;
  eventNames: Passage['eventNames'] = null;
  quota: Passage['quota'] = null;
  wouldReject: Refusal | null = null;
  isDecided = false;
  refusal: Refusal | null = null;
  /** What the response cache did, and its `Cache-Status` (RFC 9211). */
  cache: { readonly result: CacheResult; readonly status: string } | null = null;
  /** How an endpoint with an error format of its own refuses; null: by a problem document. */
  refusalForm: ((reason: Refusal) => TokenAnswer) | null = null;
  /** From the dispatch to the response headers of the backend; null: this request asked no backend, or it did not answer. */
  upstreamSeconds: number | null = null;
  /** How the backend failed, also when a kept answer stood in for it. */
  upstreamFailure: UpstreamFailureKind | null = null;
  /** Its place among the requests in flight; null: it has none yet. */
  seat: Seat | null = null;
  /** Who was known when it got it. */
  seatOf: Identity | null = null;
  /** So many bytes of its body have room. */
  heldBytes = 0;
  /** Reached the lane of bodies that are still arriving. */
  inStreamLane = false;
  /** The outcome is recorded: nothing more may be answered. */
  settled = false;
  /** Stops what goes on for this request beyond its socket, such as an upstream request. */
  abort: (() => void) | null = null;
  #awaitsContinue: boolean;
  readonly #onGone: (exchange: Exchange) => void;
  readonly #onHold: Arrival['onHold'];

  constructor(arrival: Arrival) {
    this.req = arrival.req;
    this.res = arrival.res;
    this.facts = arrival.facts;
    this.rules = arrival.rules;
    this.requestId = arrival.requestId;
    this.startedAt = arrival.startedAt;
    this.trace = arrival.trace;
    this.path = arrival.place.path;
    this.query = arrival.place.query;
    this.api = arrival.place.api;
    this.route = arrival.place.route;
    this.#awaitsContinue = arrival.awaitsContinue;
    this.#onGone = arrival.onGone;
    this.#onHold = arrival.onHold;
  }

  /** Everything that can be said before a body is read is said before this. */
  sendContinue(): void {
    if (!this.#awaitsContinue) return;
    this.#awaitsContinue = false;
    continueInTurn(this.req, this.res);
  }

  readBody(maxBytes: number, then: BodyRead): void {
    const contentLength = declaredLength(this.facts);
    if ((contentLength ?? 0) > maxBytes) return then(bodyTooLarge(maxBytes));
    this.sendContinue();
    let full: Refusal | null = null;
    const hasRoom = (bytes: number): boolean => (full = this.hold(bytes)) === null;
    collectBody(this.req, { contentLength, maxBytes, hasRoom }, (body) => {
      if (this.settled) return;
      if (body === 'aborted') return this.#onGone(this);
      if (body === 'too_large') return then(bodyTooLarge(maxBytes));
      if (body === 'no_room') return then(full);
      this.body = body;
      then(null);
    });
  }

  hold(bytes: number): Refusal | null {
    return this.#onHold(this, bytes);
  }

  get hasBody(): boolean {
    return announcesBody(this.facts);
  }

  /** For how long the client may take nothing of an answer: as its API says, or the strictest of all if none was found. */
  get idleTimeoutMs(): number {
    return this.route?.route.idleTimeoutMs ?? (this.api ?? this.rules).idleTimeoutMs;
  }
}

/** The trace that it is a part of; without traces of our own, the one that its caller says. */
const traceIdOf = ({ trace, facts }: Exchange): string | null =>
  trace === null ? (readTraceparent(facts.headers.traceparent)?.traceId ?? null) : trace.traceId;

/** What the log, the counters and the list of rejections are made from. `monotonicNow` in milliseconds. */
export function outcomeOf(exchange: Exchange, answer: AnswerFacts, monotonicNow: number): Outcome {
  const { facts, identity, refusal: reason, wouldReject } = exchange;
  const tookMs = monotonicNow - exchange.startedAt;
  return {
    requestId: exchange.requestId,
    api: exchange.api?.name ?? '',
    keyId: identity?.key.id ?? reason?.keyId ?? wouldReject?.keyId ?? '',
    secretId: identity?.secret.id ?? '',
    method: facts.method,
    path: pathToWrite(exchange),
    clientIp: clientOf(exchange).text,
    status: answer.status,
    aborted: answer.aborted ?? false,
    refusal: reason,
    wouldReject,
    forwardedEvents: exchange.forwardedEvents,
    removedEvents: exchange.removedEvents,
    rejectedEvents: exchange.rejectedEvents,
    events: exchange.refusedNames,
    userAgent: facts.headers.userAgent,
    traceId: traceIdOf(exchange),
    durationSeconds: tookMs / 1000,
    upstreamSeconds: exchange.upstreamSeconds,
    upstreamFailure: exchange.upstreamFailure,
    cache: exchange.cache?.result ?? null,
    tokenIssued: answer.tokenIssued ?? false,
    now: facts.now + Math.round(tookMs),
  };
}
