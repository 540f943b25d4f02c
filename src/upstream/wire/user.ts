/**
 * What a connection tells of the exchange that it carries, to whoever's request it is, and how it names what broke it.
 */
import { failureFrom, failureOf, type UpstreamFailure } from '../failure.ts';
import type { AnswerHead } from './answer-head.ts';
import type { Connection } from './connection.ts';

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

/** Where a connection stands: `new` until its first request, `about to send` from each further one until the end of the turn. */
export type Phase = 'new' | 'connecting' | 'resting' | 'about to send' | 'sent' | 'answering' | 'gone';

/** The end of a connection, by an error or without a word (null), as the failure of the exchange on it. */
export function failureIn(phase: Phase, error: Error | null): UpstreamFailure {
  switch (phase) {
    case 'sent':
      return error === null ? failureOf('reset', 'the connection ended before the answer') : failureFrom(error, 'sent');
    case 'answering':
      return error === null
        ? failureOf('truncated', 'the connection ended within the answer')
        : failureFrom(error, 'answering');
    default:
      return error === null ? failureOf('reset', 'the connection had ended') : failureFrom(error, 'connecting');
  }
}
