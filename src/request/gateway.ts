/**
 * The door of the data port: makes an exchange of each request that arrives, with the rules of that moment, and sends it up the
 * rungs. Also breaks off what can no longer be trusted to be framed as it seems. Judges nothing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { guardChunks } from '../data-port/chunk-guard.ts';
import { readFacts } from '../data-port/read-facts.ts';
import { acceptableRequestId, requestIds } from '../data-port/request-id.ts';
import { declineUpgrade } from '../data-port/upgrade-offer.ts';
import { recordOf } from '../data-port/socket-record.ts';
import { declaredLength } from '../policy/facts.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { refusal } from '../refusal.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { connectionOf, placeOf } from './connection.ts';
import { Exchange, goneFacts } from './exchange.ts';
import { answerOwn } from './own.ts';
import { createRun } from './run.ts';
import { RUNGS } from './rungs.ts';
import type { World } from './send.ts';

export interface GatewayPorts {
  readonly world: World;
  /** What requests are judged by now. Read once a request. */
  readonly rules: () => Ruleset;
  readonly clock: Clock;
  /** null: there are no traces. */
  readonly tracing: Pick<Tracing, 'begin'> | null;
}

/** `now`: milliseconds since the epoch. `monotonic`: milliseconds from an arbitrary start, never backwards. */
export interface Clock {
  readonly now: () => number;
  readonly monotonic: () => number;
}

/** Takes a request from the socket to its end. `awaitsContinue`: it came with `Expect: 100-continue`. */
export type HandleRequest = (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) => void;

export function createGateway({ world, rules, clock, tracing }: GatewayPorts): HandleRequest {
  const { ending } = world;
  const nextRequestId = requestIds();
  const onGone = (exchange: Exchange): void => ending.settle(exchange, goneFacts(exchange));
  const run = createRun(RUNGS, world, {
    begin: ending.begin,
    refuse: ending.refuse,
    isOver: (exchange: Exchange) => exchange.settled,
    answerOwn: (exchange) => answerOwn(exchange, world),
  });

  /** The rest of the connection can no longer be trusted to be framed as it seems. */
  const breakOff = (exchange: Exchange, why: string): void => {
    if (exchange.settled) exchange.req.socket.destroy();
    else ending.refuse(exchange, refusal('malformed_request', why));
  };

  return (req, res, awaitsContinue) => {
    // The connection closes by itself once the client has read its last answer. What a broken one still brings is no request either.
    const { closing, hadLast } = recordOf(req.socket);
    if (closing || hadLast || !req.socket.writable) return void req.resume();
    if (world.draining()) res.shouldKeepAlive = false;
    const current = rules();
    const connection = connectionOf(req.socket);
    const facts = readFacts(req, clock.now(), connection.section);
    const exchange = new Exchange({
      req,
      res,
      facts,
      rules: current,
      requestId: acceptableRequestId(facts.headers.requestId) ?? nextRequestId(),
      startedAt: clock.monotonic(),
      awaitsContinue,
      trace: tracing === null ? null : tracing.begin(facts),
      place: placeOf(connection.visit, facts, current),
      onGone,
      onHold: ending.hold,
    });
    connection.open = exchange;
    if (facts.headers.upgrade !== null) declineUpgrade(req, res, exchange.hasBody ? declaredLength(facts) : 0);
    if (facts.headers.transferEncoding !== undefined) guardChunks(req, (why) => breakOff(exchange, why));
    run(exchange);
  };
}
