/**
 * What the way of a request knows of traces: a request has a part in one from its arrival to its end, and its calls of a backend
 * are in it. Types alone.
 */
import type { Outcome } from '../observability/outcome.ts';
import type { Dispatch } from '../upstream/dispatch.ts';

/** The traces of a process. */
export interface Tracing {
  /** A request has arrived, as the server span of this trace; `end` must follow. */
  readonly begin: (arrived: ArrivedRequest) => RequestTrace;
  /** Exports what waits, for at most so long. What is left then is lost. */
  readonly close: (ms: number) => Promise<void>;
}

export interface ArrivedRequest {
  readonly method: string;
  /** Values of a repeated field stand in one text, with commas. */
  readonly headers: { readonly traceparent: string | undefined };
}

/** The part of one request in its trace. */
export interface RequestTrace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** Dispatches with a client span around it, whose `traceparent` the backend gets. `path`: as it may be written down. */
  readonly dispatchBy: (dispatch: Dispatch, path: string) => Dispatch;
  readonly end: (ended: EndedRequest) => void;
}

export interface EndedRequest {
  readonly outcome: Outcome;
  /** An answer was begun. */
  readonly answered: boolean;
  readonly scheme: 'http' | 'https';
  readonly httpVersion: string;
  /** The pattern of the route; null: none is listed. */
  readonly route: string | null;
  /** By which it was judged. */
  readonly mode: 'enforce' | 'report';
}
