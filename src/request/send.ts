/**
 * The last rungs of a request's way: how much may be under way, how the body goes, and from where the answer comes. The
 * verdicts were spoken before, and upstream/ moves the bytes.
 */
import { arrivedBody } from '../data-port/body.ts';
import { atTurnEnd } from '../lib/turn-end.ts';
import { declaredLength } from '../policy/facts.ts';
import { isMetricsQuery } from '../policy/own-endpoint.ts';
import type { ApiRules } from '../policy/ruleset.ts';
import { refusal } from '../refusal.ts';
import { forward, type ForwardResult } from '../upstream/forward.ts';
import type { Upstream } from '../upstream/pool.ts';
import { bodyTooLarge } from './body.ts';
import { CachedQuery } from './cached-query.ts';
import type { PolicyWorld } from './checks.ts';
import type { Ending } from './ending.ts';
import { CLIENT_GONE, type Exchange } from './exchange.ts';
import type { Observing } from './observing.ts';
import type { OwnWorld } from './own.ts';
import type { Passage, Routed } from './passage.ts';
import type { Verdict, Wait } from './run.ts';
import { answerHeaders, upstreamRequest } from './fields.ts';

/** What the whole way asks of the world. */
export interface World extends PolicyWorld, OwnWorld {
  readonly ending: Ending;
  /** The connections to an API's backend, as they belong to these rules. */
  readonly upstreamOf: (api: ApiRules) => Upstream;
  /** Takes a request through the framework's route for bodies that are still arriving. */
  readonly openStreamLane: (exchange: Exchange, then: () => void) => void;
  /** The process is about to end: answers tell clients to take their next request elsewhere. */
  readonly draining: () => boolean;
  /** null: nothing is observed. */
  readonly observing: Pick<Observing, 'follow'> | null;
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
      const { maxBodyBytes } = exchange.api;
      const arrived = arrivedBody(exchange.req, {
        contentLength: declaredLength(exchange.facts),
        maxBytes: maxBodyBytes,
      });
      if (arrived === 'too_large') return resume(bodyTooLarge(exchange.api));
      exchange.body = arrived ?? 'stream';
      resume(null);
    });
}

/** A query whose answer may be kept: asked of the cache, which asks the backend once for all. */
export function askCache(exchange: Routed<Exchange>, world: World): Verdict | Wait {
  const { body, identity } = exchange;
  if (identity === null || !mayBeCached(exchange)) return 'passed';
  if (!Buffer.isBuffer(body)) return (resume) => exchange.readBody(exchange.api.maxBodyBytes, resume);
  const upstream = world.upstreamOf(exchange.api);
  const query = new CachedQuery({ exchange, key: identity.key, body, upstream, world }).ask(
    world.serviceOf(exchange.api).cache,
  );
  // Answered from the cache within the call: there is nothing to forward.
  if (!exchange.settled) send(exchange, world, upstream, query);
  return 'taken';
}

export function forwardToBackend(exchange: Routed<Exchange>, world: World): Verdict | Wait {
  if (exchange.body === 'stream' && !exchange.inStreamLane) {
    world.observing?.follow(exchange);
    return (resume) =>
      world.openStreamLane(exchange, () => {
        exchange.inStreamLane = true;
        resume(null);
      });
  }
  send(exchange, world, world.upstreamOf(exchange.api), null);
  return 'taken';
}

function send(exchange: Routed<Exchange>, world: World, upstream: Upstream, query: CachedQuery | null): void {
  const { req, res, api } = exchange;
  const forwarding = forward({
    upstream,
    req,
    res,
    now: world.now,
    request: query === null ? upstreamRequest(exchange, upstream) : query.request(),
    send: query === null ? null : (sink) => query.take(sink),
    maxBodyBytes: api.maxBodyBytes,
    onAnswered: (upstreamSeconds) => {
      // A query knows by itself whether it is the one that asked.
      if (query === null) exchange.upstreamSeconds = upstreamSeconds;
    },
    answerHeaders: (rawHeaders) => {
      if (world.draining()) res.shouldKeepAlive = false;
      return answerHeaders(exchange, rawHeaders);
    },
    onSettled: (result) => settle(exchange, world.ending, result),
  });
  if (!exchange.settled) exchange.abort = forwarding.abort;
}

function settle(exchange: Routed<Exchange>, ending: Ending, result: ForwardResult): void {
  switch (result.kind) {
    case 'answered':
      return ending.settle(exchange, { status: result.status });
    case 'client_gone':
      return ending.settle(exchange, { status: CLIENT_GONE });
    case 'body_too_large':
      return ending.refuse(exchange, bodyTooLarge(exchange.api));
    case 'failed': {
      const { code, kind, why } = result.failure;
      exchange.upstreamFailure = kind;
      return ending.refuse(exchange, refusal(code, why));
    }
  }
}

/** Whether the answer to a request may come from the cache: a query, by a key that nothing stood against. */
export function mayBeCached({ api, facts, path, identity, wouldReject }: Passage): boolean {
  return (
    api !== null &&
    // In report mode the backend still judges the caller itself, on every request.
    api.enforcement === 'enforce' &&
    facts.method === 'POST' &&
    // Two fields for one coding: which of them the backend goes by is no part of the key.
    facts.headers.contentEncodingCount < 2 &&
    identity !== null &&
    wouldReject === null &&
    isMetricsQuery(api, path)
  );
}
