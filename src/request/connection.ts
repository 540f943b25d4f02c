/**
 * What is remembered of a connection: its latest request, and where that went. A client mostly says the same again on a kept
 * connection; what was found out is not found out again.
 */
import type { Socket } from 'node:net';
import type { Facts } from '../policy/facts.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import type { Exchange } from './exchange.ts';
import { NOWHERE, type Place } from './passage.ts';

/** A property, not a WeakMap: an entry for each request would be work for the garbage collector. */
const EXCHANGE = Symbol('exchange');

interface Marked {
  [EXCHANGE]?: Exchange;
}

/** The latest exchange on a socket. */
export function latestExchangeOn(socket: Socket): Exchange | undefined {
  return (socket as Marked)[EXCHANGE];
}

export function remember(socket: Socket, exchange: Exchange): void {
  (socket as Marked)[EXCHANGE] = exchange;
}

/** Where a request goes, if the one before it went to the same place by the same rules. Postern's own endpoints are no places. */
export function placeOf(before: Exchange | undefined, now: Facts, rules: Ruleset): Place {
  return before !== undefined &&
    before.api !== null &&
    before.endpoint === null &&
    before.rules === rules &&
    before.facts.target === now.target &&
    before.facts.method === now.method &&
    before.facts.headers.host === now.headers.host
    ? before
    : NOWHERE;
}
