/**
 * What a connection to a backend is to those who have to do with it: to the pool that owns it, and to whoever's request it carries.
 */
import type { Connector } from '../connector.ts';
import type { UpstreamFailure } from '../failure.ts';
import type { AnswerHead } from './answer-head.ts';
import type { Deadlines } from './deadlines.ts';
import type { WireRequest } from './request.ts';

/** It opens once, with its first request, and carries one exchange at a time. */
export interface Connection {
  /** It cannot carry another request. */
  readonly isGone: boolean;
  /** It is connected. */
  readonly isOpen: boolean;
  /** When it began to rest. */
  readonly idleSince: number;
  /** Whether it may carry a request at this time. */
  isFit(now: number): boolean;
  /** As its first request, or after a rest. A used one sends at the end of the turn, which shows what was closed by then. */
  send(request: WireRequest, user: ConnectionUser): void;
  /** The exchange is over, and another may come. */
  rest(now: number): void;
  /** Goes on reading after `onContent` said no. */
  resume(): void;
  /** Ends it at once. Whose request is under way is not told. */
  close(): void;
  /** Ends it at once, and what is under way with it. */
  breakOff(why: string): void;
}

/** Whose request is under way. `onComplete` or `onBroken` is the last it hears. */
export interface ConnectionUser {
  /** Set before anything is told. */
  connection: Connection | null;
  /** It wants nothing sent any more. */
  readonly isOver: boolean;
  onInterim(status: number): void;
  onHead(head: AnswerHead): void;
  /** false: no more until `resume`. */
  onContent(bytes: Buffer): boolean;
  /** `reusable`: the connection may carry another request. */
  onComplete(trailers: readonly string[], reusable: boolean): void;
  /** `sentNothing`: the backend has seen nothing of the request, and its body is as it was. */
  onBroken(failure: UpstreamFailure, sentNothing: boolean): void;
}

/** What all connections to one backend have in common. All of it comes from the configuration. */
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
