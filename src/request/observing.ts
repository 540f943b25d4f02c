/**
 * Tells the observations what became of a request, when it is over: who sent it, from where, to which route, with which events, and
 * whether it was good. Keeps hold of a body only where the names of its events are still to be found. Decides about no request.
 */
import { NotedNames } from '../event-filter/noted-names.ts';
import { GatheredBytes } from '../lib/gathered-bytes.ts';
import { UNKNOWN_ADDRESS } from '../observe/address-value.ts';
import { UNWRITABLE_ROUTE, type EventsSeen } from '../observe/day-counts.ts';
import { MOST_BODY_BYTES } from '../observe/event-reader.ts';
import { createObserver, type Observer, type ObserverPorts } from '../observe/observer.ts';
import type { Subject } from '../observe/observations.ts';
import { patternOf, routeValue } from '../observe/route-value.ts';
import { MOST_CHARACTERS } from '../observe/tallies.ts';
import { isPreflight } from '../policy/cors.ts';
import { declaredLength } from '../policy/facts.ts';
import type { CompiledRoute } from '../policy/route.ts';
import type { ApiRules } from '../policy/ruleset.ts';
import { checkOverride } from '../policy/scope.ts';
import { CLIENT_GONE, type AnswerFacts, type Exchange } from './exchange.ts';
import { clientOf } from './passage.ts';
import { modeOf } from './run.ts';

export interface Observing {
  readonly observer: Observer;
  /** Takes down the names of events that are judged anyhow. */
  readonly notes: NotedNames;
  /** Keeps a copy of a body that streams, if somebody will look for events in it. To be called before it is sent on. */
  readonly follow: (exchange: Exchange) => void;
  /** Counts a request that is over. To be called before its body is let go. */
  readonly count: (exchange: Exchange, answer: AnswerFacts) => void;
}

/** null: observation is off. */
export function startObserving(config: Parameters<typeof createObserver>[0], ports: ObserverPorts): Observing | null {
  const observer = createObserver(config, ports);
  if (observer === null) return null;
  const observing = createObserving(observer);
  return {
    ...observing,
    count(exchange, answer) {
      // Whatever goes wrong here, the request had its answer and nothing else may suffer.
      try {
        observing.count(exchange, answer);
      } catch (error) {
        ports.log.warn('observation_failed', { detail: (error as Error).message });
      }
    },
  };
}

export function createObserving(observer: Observer): Observing {
  const { observations, reader } = observer;
  const followed = new FollowedBodies();
  const routes = new ObservedRoutes();

  const bodyOf = (exchange: Exchange): Buffer | null => {
    if (exchange.body !== 'stream') return Buffer.isBuffer(exchange.body) ? exchange.body : Buffer.alloc(0);
    const bytes = followed.take(exchange);
    return exchange.req.complete ? bytes : null;
  };

  const count = (exchange: Exchange, { status, tokenIssued = false }: AnswerFacts): void => {
    // Taken in any case: what is kept of it ends with the request.
    const body = bodyOf(exchange);
    const subject = subjectOf(exchange);
    if (subject === null) return;
    const { facts, refusal, endpoint, route, query } = exchange;
    const good = refusal === null && status < 400 && (endpoint === null || tokenIssued);
    const { origin, originCount, secFetchSite } = facts.headers;
    const unread = good && carriesUnread(exchange);
    observations.count(subject.kind, subject.name, {
      at: facts.now,
      good,
      reason: good ? '' : (refusal?.reason ?? (status === CLIENT_GONE ? 'client_gone' : `backend_${status}`)),
      paced: refusal === null || cameByTheRate(exchange),
      address: clientOf(exchange).address ?? UNKNOWN_ADDRESS,
      route: endpoint === null && exchange.api !== null ? routes.valueOf(exchange.api, exchange) : null,
      origin: originCount === 1 ? (origin ?? '') : originCount > 1 || secFetchSite !== undefined ? '' : null,
      events: unread ? null : eventsOf(exchange),
      obstacle: good && endpoint === null && checkOverride(exchange) !== null ? 'forms' : null,
    });
    if (unread && route !== null) {
      reader.add({
        ...subject,
        facts,
        path: exchange.path,
        query,
        route,
        body: body === null || body.length > MOST_BODY_BYTES ? null : body,
        decoded: exchange.bodyJudged,
      });
    }
  };

  return {
    observer,
    notes: new NotedNames(),
    follow(exchange) {
      if (!mayCarryUnread(exchange) || (declaredLength(exchange.facts) ?? 0) > MOST_BODY_BYTES) return;
      followed.follow(exchange);
    },
    count,
  };
}

/** Copies of bodies that stream, as long as they are small enough, each and all together. */
class FollowedBodies {
  readonly #bodies = new Map<Exchange, GatheredBytes>();
  #bytes = 0;

  follow(exchange: Exchange): void {
    const { req } = exchange;
    const gathered = new GatheredBytes(MOST_BODY_BYTES);
    this.#bodies.set(exchange, gathered);
    // Whoever sends the body on sets it flowing.
    req.pause();
    const keep = (chunk: Buffer): void => {
      const isOver = gathered.size + chunk.length > MOST_BODY_BYTES || this.#bytes + chunk.length > MOST_FOLLOWED_BYTES;
      if (isOver) this.take(exchange);
      if (!this.#bodies.has(exchange)) return void req.off('data', keep);
      gathered.add(chunk);
      this.#bytes += chunk.length;
    };
    req.on('data', keep);
  }

  /** What came of a body so far, which is forgotten here; null: it is not followed, or no longer. */
  take(exchange: Exchange): Buffer | null {
    const gathered = this.#bodies.get(exchange);
    if (gathered === undefined) return null;
    this.#bodies.delete(exchange);
    this.#bytes -= gathered.size;
    return gathered.bytes;
  }
}

/** Whoever sends very many bodies slowly must not fill the memory. */
const MOST_FOLLOWED_BYTES = 16_777_216;

/** Whose request it was; null: a stranger's, who is not counted. */
function subjectOf({ identity, refusal, api, endpoint, facts }: Exchange): Subject | null {
  if (identity !== null) return { kind: 'key', name: identity.key.id };
  if (refusal?.keyId) return { kind: 'key', name: refusal.keyId };
  // Enforcement would answer a preflight, in whose place nobody needs a route.
  if (api === null || endpoint !== null || isPreflight(facts)) return null;
  // A stranger at a closed door: what he sends teaches nothing, and there may be very many.
  return refusal === null || api.enforcement === 'report' ? { kind: 'api', name: api.name } : null;
}

/** Whether it was refused by what comes after the rate: seats are given out there, to whoever is known by then. */
const cameByTheRate = ({ identity, seatOf }: Exchange): boolean => identity !== null && seatOf === identity;

/** The names that were judged. */
const eventsOf = ({ eventNames }: Exchange): EventsSeen | null =>
  eventNames === null ? null : { passed: eventNames.allowed, removed: eventNames.disallowed };

/** Whether the body may hold events whose names nobody took down. */
function mayCarryUnread({ route, identity, api }: Exchange): boolean {
  if (route === null || route.route.events === null || api === null) return false;
  return (
    identity === null ||
    identity.key.allowedEvents === null ||
    identity.key.mode === 'report' ||
    api.enforcement === 'report'
  );
}

/** The same, when the verdicts are known: in report mode what was objected to went on as it came. */
const carriesUnread = (exchange: Exchange): boolean =>
  mayCarryUnread(exchange) &&
  (exchange.eventNames === null || (exchange.wouldReject !== null && modeOf(exchange, 'key') === 'report'));

/** How routes are counted. A listed one is written once, and the paths that came last are remembered. */
class ObservedRoutes {
  readonly #listed = new WeakMap<CompiledRoute, string>();
  readonly #patterns = new Map<string, string | null>();

  valueOf(api: ApiRules, { route, path, facts }: Pick<Exchange, 'route' | 'path' | 'facts'>): string {
    if (route === null || !route.route.isSure) return this.#unlisted(api.name, facts.method, path);
    let value = this.#listed.get(route.route);
    if (value === undefined) {
      const { method, pattern } = route.route;
      value = routeValue({ api: api.name, method, path: pattern, listed: true });
      this.#listed.set(route.route, value);
    }
    return value;
  }

  #unlisted(api: string, method: string, path: string): string {
    if (path === '' || path.length > MOST_CHARACTERS) return UNWRITABLE_ROUTE;
    let pattern = this.#patterns.get(path);
    if (pattern === undefined) {
      if (this.#patterns.size >= MOST_PATHS) this.#patterns.clear();
      pattern = patternOf(path);
      this.#patterns.set(path, pattern);
    }
    return pattern === null ? UNWRITABLE_ROUTE : routeValue({ api, method, path: pattern, listed: false });
  }
}

const MOST_PATHS = 1024;
