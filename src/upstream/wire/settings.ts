/**
 * What all connections to one backend have in common. All of it comes from the configuration.
 */
import type { Connector } from '../connector.ts';
import type { Connection } from './connection.ts';
import type { Deadlines } from './deadlines.ts';

export interface ConnectionSettings {
  readonly connect: Connector;
  readonly deadlines: Deadlines;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** From the request, or the latest interim response, to the head of the answer. */
  readonly headTimeoutMs: number;
  /** Between two pieces of the answer's content. */
  readonly contentTimeoutMs: number;
  /** How long it may rest between two requests; 0: it carries one alone. */
  readonly keepAliveMs: number;
  /** It carries no further request from this age on, or up to a fifth earlier, so that many do not go at once. */
  readonly maxAgeMs: number;
  /** Called once, when it is of no use any more: closed, or resting beyond its time. */
  readonly onGone: (connection: Connection) => void;
}

/** A backend that announces how long it keeps a connection may close it as soon as that: the request needs time for its way. */
const WAY_MS = 1_000;

/** How long a connection may rest, where the backend announced a time for it (-1: it did not). */
export const restAfter = (announcedMs: number, keepAliveMs: number): number =>
  announcedMs === -1 ? keepAliveMs : Math.min(keepAliveMs, announcedMs - WAY_MS);
