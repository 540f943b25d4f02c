/**
 * The last rungs of a request's way: how much may be under way, how the body goes, and from where the answer comes. The
 * verdicts were spoken before, and upstream/ moves the bytes.
 */
import { arrivedBody } from '../data-port/body.ts';
import { atTurnEnd } from '../lib/turn-end.ts';
import { declaredLength } from '../policy/facts.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import type { ApiRules } from '../policy/ruleset.ts';
import { refusal } from '../refusal.ts';
import { forward, type ForwardResult } from '../upstream/forward.ts';
import type { Upstream } from '../upstream/pool.ts';
import { bodyTooLarge } from './body.ts';
import { mayBeCached } from './cache-shape.ts';
import { CachedQuery } from './cached-query.ts';
import type { PolicyWorld } from './checks.ts';
import type { Ending } from './ending.ts';
import { goneFacts, type Exchange } from './exchange.ts';
import type { Observing } from './observing.ts';
import type { OwnWorld } from './own.ts';
import { maxBodyBytesOf, type Routed } from './passage.ts';
import { judge, type Verdict, type Wait } from './run.ts';
import { dispatchFor } from './traced-dispatch.ts';
import { answerHeaders, upstreamRequest } from './fields.ts';

/** What the whole way asks of the world. */
export interface World extends PolicyWorld, OwnWorld {
  readonly ending: Ending;
  /** The connections to the backend of an API, or of a route that has its own, as they belong to these rules. */
  readonly upstreamOf: (exchange: Pick<Routed, 'api' | 'route'>) => Upstream;
  /** The cache of an API that has one. */
  readonly cacheOf: (api: ApiRules) => ResponseCache;
  /** Takes a request through the framework's route for bodies that are still arriving. */
  readonly openStreamLane: (exchange: Exchange, then: () => void) => void;
  /** The process is about to end: answers tell clients to take their next request elsewhere. */
  readonly draining: () => boolean;
  /** null: nothing is observed. */
  readonly observing: Pick<Observing, 'notes' | 'follow'> | null;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** The body that nobody had to look into: whole if it has come by the end of the turn, else as a stream. */
export function takeBody(exchange: Routed<Exchange>): Verdict | Wait {
  if (exchange.body !== 'unread') return 'passed';
  exchange.sendContinue();
  if (!exchange.hasBody) return 'passed';
  return (resume) =>
    atTurnEnd(() => {
      if (exchange.settled) return;
      const maxBodyBytes = maxBodyBytesOf(exchange);
      const arrived = arrivedBody(exchange.req, {
        contentLength: declaredLength(exchange.facts),
        maxBytes: maxBodyBytes,
      });
      const isOver = arrived === 'too_large';
      exchange.body = isOver || arrived === null ? 'stream' : arrived;
      if (isOver) resume(bodyTooLarge(maxBodyBytes));
      else resume(arrived === null ? null : exchange.hold(arrived.length));
    });
}

/** A query whose answer may be kept: asked of the cache, which asks the backend once for all. */
export function askCache(exchange: Routed<Exchange>, world: World): Verdict | Wait {
  if (!mayBeCached(exchange)) return 'passed';
  const { body } = exchange;
  if (exchange.hasBody && !Buffer.isBuffer(body))
    return (resume) => exchange.readBody(maxBodyBytesOf(exchange), resume);
  const upstream = world.upstreamOf(exchange);
  const asked = Buffer.isBuffer(body) ? body : NO_BODY;
  const query = new CachedQuery({ exchange, body: asked, upstream, world }).ask(world.cacheOf(exchange.api));
  // Answered from the cache within the call: there is nothing to forward.
  if (!exchange.settled) send(exchange, world, upstream, query);
  return 'taken';
}

const NO_BODY = Buffer.alloc(0);

export function forwardToBackend(exchange: Routed<Exchange>, world: World): Verdict | Wait {
  if (exchange.body === 'stream' && !exchange.inStreamLane) {
    world.observing?.follow(exchange);
    return (resume) =>
      world.openStreamLane(exchange, () => {
        exchange.inStreamLane = true;
        resume(null);
      });
  }
  send(exchange, world, world.upstreamOf(exchange), null);
  return 'taken';
}

function send(exchange: Routed<Exchange>, world: World, upstream: Upstream, query: CachedQuery | null): void {
  const { req, res } = exchange;
  const forwarding = forward({
    upstream,
    req,
    res,
    now: world.now,
    dispatch: dispatchFor(exchange),
    request: query === null ? upstreamRequest(exchange, upstream) : query.request(),
    send: query === null ? null : (sink) => query.take(sink),
    maxBodyBytes: maxBodyBytesOf(exchange),
    onTooLarge: () => judge(exchange, 'traffic', bodyTooLarge(maxBodyBytesOf(exchange))) === 'goes on',
    onAnswered: (upstreamSeconds) => {
      // A query knows by itself whether it is the one that asked.
      if (query === null) exchange.upstreamSeconds = upstreamSeconds;
    },
    answerHeaders: (rawHeaders) => {
      if (world.draining()) res.shouldKeepAlive = false;
      return answerHeaders(exchange, rawHeaders);
    },
    onSettled: (result) => settle(exchange, world.ending, result, upstream),
  });
  if (!exchange.settled) exchange.abort = forwarding.abort;
}

function settle(exchange: Routed<Exchange>, ending: Ending, result: ForwardResult, { origin }: Upstream): void {
  switch (result.kind) {
    case 'answered':
      return ending.settle(exchange, { status: result.status });
    case 'client_gone':
      return ending.settle(exchange, goneFacts(exchange));
    case 'body_too_large':
      return ending.refuse(exchange, bodyTooLarge(maxBodyBytesOf(exchange)));
    case 'failed': {
      const { code, kind, why } = result.failure;
      exchange.upstreamFailure = kind;
      // Where nobody answered, the error names the address itself.
      return ending.refuse(exchange, refusal(code, kind === 'connect' ? why : `${origin}: ${why}`));
    }
  }
}
