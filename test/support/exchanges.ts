/** Exchanges over a real connection: a bare server that hands each request over, and the whole way of a request behind one. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { connectionOf } from '../../src/request/connection.ts';
import { createEnding, type Ending } from '../../src/request/ending.ts';
import { Exchange, type Arrival } from '../../src/request/exchange.ts';
import { createGateway } from '../../src/request/gateway.ts';
import { createInFlight } from '../../src/request/in-flight.ts';
import { NOWHERE } from '../../src/request/passage.ts';
import type { World } from '../../src/request/send.ts';
import { readFacts } from '../../src/data-port/read-facts.ts';
import type { Outcome } from '../../src/observability/outcome.ts';
import type { Facts } from '../../src/policy/facts.ts';
import type { Ruleset } from '../../src/policy/ruleset.ts';
import { startBackend } from './backend.ts';
import { NOON } from './outcomes.ts';
import { factsOf, rulesOf, WORLD } from './passages.ts';
import { upstreamTo } from './upstream.ts';

/** Hands each request over as an exchange that nothing was decided about. */
export async function serveExchanges(
  t: Test,
  handle: (exchange: Exchange) => void,
  rules: Ruleset = rulesOf([]),
): Promise<{ readonly port: number; readonly server: http.Server }> {
  return await serving(t, (req, res) => {
    const exchange = exchangeWith(readFacts(req, NOON), rules, { req, res });
    connectionOf(req.socket).open = exchange;
    handle(exchange);
  });
}

/** An exchange without a connection, for what only reads it, unless one is given. */
export function exchangeWith(
  facts: Facts = factsOf(),
  rules: Ruleset = rulesOf([]),
  change: Partial<Arrival> = {},
): Exchange {
  const nothing = {} as never;
  return new Exchange({
    req: nothing,
    res: nothing,
    facts,
    rules,
    requestId: 'id-1',
    startedAt: 1000,
    awaitsContinue: false,
    trace: null,
    place: NOWHERE,
    onGone: () => {},
    onHold: () => null,
    ...change,
  });
}

export interface GatewayGiven {
  readonly rules?: () => Ruleset;
  readonly world?: Partial<World>;
  readonly ending?: (ending: Ending) => Ending;
  readonly maxRequestsInFlight?: number;
  readonly maxBodyBytesInFlight?: number;
  readonly draining?: boolean;
  /** What the backend does with each request, in place of sending its body back. */
  readonly respond?: Parameters<typeof startBackend>[1];
}

/** The whole way of a request, from a socket to a real backend that sends bodies back. */
export async function serveGateway(t: Test, given: GatewayGiven = {}) {
  const outcomes: Outcome[] = [];
  const inFlight: string[] = [];
  const draining = (): boolean => given.draining === true;
  const backend = await startBackend(
    t,
    given.respond ?? ((req, res) => void res.writeHead(200, { 'Content-Length': req.body.length }).end(req.body)),
  );
  const upstream = upstreamTo(t, backend.url);
  const made = createEnding({
    record: (outcome) => void outcomes.push(outcome),
    observing: null,
    enter: (api) => void inFlight.push(`+${api}`),
    leave: (api) => void inFlight.push(`-${api}`),
    inFlight: createInFlight({
      limit: given.maxRequestsInFlight ?? 10,
      bytesLimit: given.maxBodyBytesInFlight ?? Infinity,
      apis: 1,
    }),
    now: () => 0,
    draining,
  });
  const ending = given.ending?.(made) ?? made;
  const lanes: string[] = [];
  const world: World = {
    ...WORLD,
    observing: null,
    ending,
    draining,
    upstreamOf: () => upstream,
    now: () => 0,
    tokensOf: () => {
      throw new Error('no tokens');
    },
    cacheOf: () => {
      throw new Error('no cache');
    },
    keySet: () => '{"keys":[]}',
    openStreamLane: ({ facts }, then) => {
      lanes.push(facts.target);
      then();
    },
    ...given.world,
  };
  const handle = createGateway({
    world,
    rules: given.rules ?? (() => rulesOf([])),
    clock: { now: () => NOON, monotonic: () => 0 },
    tracing: null,
  });
  const { port, server } = await serving(t, (req, res) => handle(req, res, false));
  server.on('checkContinue', (req, res) => handle(req, res, true));
  return { port, server, outcomes, inFlight, lanes, backend };
}

async function serving(t: Test, listener: http.RequestListener): Promise<{ port: number; server: http.Server }> {
  const server = http.createServer({ requireHostHeader: false }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}
