/**
 * How one request ended, and the one call that tells everybody: counters, log, list of latest rejections, summary by minute.
 * All of them are made from the same record, so that they never disagree. Nothing here decides about a request.
 */
import type { ApiName } from '../config/api-names.ts';
import type { Mode } from '../keys/key.ts';
import { ownText } from '../lib/own-text.ts';
import { REFUSALS } from '../refusal.ts';
import type { Refusal, RefusalLevel, RefusalReason } from '../refusal.ts';
import type { UpstreamFailureKind } from '../upstream/failure.ts';
import { isoTime } from './iso-time.ts';

export type { UpstreamFailureKind } from '../upstream/failure.ts';

/** The API that a request was for; empty when it was refused before one was chosen. */
export type ApiLabel = ApiName;

/**
 * The failures for which the upstream is to blame. Nobody is when the client went away, and a full pool of connections is a
 * refusal.
 */
export type UpstreamErrorKind = Exclude<UpstreamFailureKind, 'aborted' | 'overloaded'>;

/** What the response cache did with a request. */
export const CACHE_RESULTS = ['hit', 'miss', 'stale', 'coalesced', 'refresh', 'uncacheable'] as const;
export type CacheResult = (typeof CACHE_RESULTS)[number];

export interface Outcome {
  readonly requestId: string;
  readonly api: ApiLabel;
  /** Empty when no key was recognised. */
  readonly keyId: string;
  /** The id of the secret that was presented, empty when none was recognised. */
  readonly secretId: string;
  readonly method: string;
  /** Normalised, or as received where it could not be; without the query. Empty when no request line could be read. */
  readonly path: string;
  /** The resolved client address, else the text of the peer's. */
  readonly clientIp: string;
  /** As sent to the client; 499 when it went away before anything was sent. */
  readonly status: number;
  /** The answer was cut off after it had begun, by whichever side. */
  readonly aborted: boolean;
  /** What ended the request's way; upstream failures carry theirs too. */
  readonly refusal: Refusal | null;
  /** What would have ended it, in report mode. The request was forwarded unchanged. */
  readonly wouldReject: Refusal | null;
  /**
   * Events passed on, cut out of a batch, and refused with their whole request. With `wouldReject` they are what enforcement would
   * have done; all were passed on.
   */
  readonly forwardedEvents: number;
  readonly removedEvents: number;
  readonly rejectedEvents: number;
  /** Names of the events that were refused or cut out: the first few, cut short. */
  readonly events: readonly string[];
  /** As the client sent it. */
  readonly userAgent: string | undefined;
  /** The trace that the request belongs to (W3C Trace Context), 32 hex digits; null: none. */
  readonly traceId: string | null;
  /** From the arrival of the head to the end of the response. */
  readonly durationSeconds: number;
  /** From the dispatch to the response headers; null when nothing was dispatched. */
  readonly upstreamSeconds: number | null;
  readonly upstreamFailure: UpstreamFailureKind | null;
  readonly cache: CacheResult | null;
  readonly tokenIssued: boolean;
  /** When it was over, in milliseconds since the epoch. */
  readonly now: number;
}

/** The fields of a refusal's log line, in their order; also what the admin API lists. */
export interface Rejection {
  readonly level: RefusalLevel;
  readonly time: string;
  readonly msg: 'rejected' | 'would_reject';
  readonly requestId: string;
  readonly api: ApiLabel;
  readonly keyId: string;
  readonly reason: RefusalReason;
  /** What the client received, also in report mode. */
  readonly status: number;
  readonly clientIp: string;
  readonly method: string;
  readonly path: string;
  readonly removedEvents: number;
  readonly mode: Mode;
  /** What decided, where a rule did that has a name: in no line of a refusal without one. */
  readonly rule: string | undefined;
  /** These four stand in a line only where there is something to say. */
  readonly events: readonly string[] | undefined;
  readonly userAgent: string | undefined;
  readonly traceId: string | undefined;
  readonly aborted: true | undefined;
}

/** What every line of a request may say beside its own fields. */
export type LineExtras = Pick<Rejection, 'events' | 'userAgent' | 'traceId' | 'aborted'>;

/** Which requests get a log line; an upstream failure counts as a rejection here. */
export interface RequestLogging {
  readonly requests: 'rejections' | 'all' | 'none';
  /** Of the requests that pass, with `all`: the share that gets a line, from 0 to 1. */
  readonly sample: number;
}

/** Where outcomes go. */
export interface OutcomeSinks {
  readonly metrics: { readonly record: (outcome: Outcome) => void };
  readonly log: {
    readonly rejection: (rejection: Rejection, refusal: Refusal) => void;
    readonly upstreamFailure: (outcome: Outcome) => void;
    readonly request: (outcome: Outcome) => void;
  };
  readonly recent: { readonly add: (rejection: Rejection) => void };
  readonly summary: { readonly record: (outcome: Outcome, rejection: Rejection | null) => void };
  readonly logging: RequestLogging;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** Makes the one call that a request ends with. It never throws for anything that a client sent. */
export function createRecorder(sinks: OutcomeSinks): (outcome: Outcome) => void {
  const { metrics, log, recent, summary, random } = sinks;
  const { requests, sample } = sinks.logging;
  const logRejections = requests !== 'none';
  const logAll = requests === 'all';
  return (outcome) => {
    metrics.record(outcome);
    const rejected = rejectionIn(outcome);
    const rejection = rejected === null ? null : toRejection(outcome, rejected);
    summary.record(outcome, rejection);
    if (rejected !== null && rejection !== null) {
      recent.add(rejection);
      if (logRejections) log.rejection(rejection, rejected);
    }
    const failed = upstreamErrorIn(outcome) !== null;
    if (failed && logRejections) log.upstreamFailure(outcome);
    if (logAll && !failed && rejected === null && (sample === 1 || random() < sample)) log.request(outcome);
  };
}

/** The refusal that counts as a rejection, real or would-be. The failure of an upstream is none. */
export function rejectionIn({ refusal, wouldReject }: Outcome): Refusal | null {
  if (refusal === null || refusal.code === 'upstream_unreachable' || refusal.code === 'upstream_timeout')
    return wouldReject;
  return refusal;
}

/** How the upstream failed, if it is to blame. */
export function upstreamErrorIn({ upstreamFailure: kind }: Outcome): UpstreamErrorKind | null {
  return kind === 'aborted' || kind === 'overloaded' ? null : kind;
}

/** The longest path of a client that is kept: a request line may hold 16 KiB, a log line should not. */
const MAX_PATH = 1024;
const MAX_FIELD = 128;

function toRejection(outcome: Outcome, refusal: Refusal): Rejection {
  const enforced = refusal === outcome.refusal;
  const { events, userAgent, traceId, aborted } = lineExtras(outcome);
  return {
    level: REFUSALS[refusal.code].level,
    time: isoTime(outcome.now),
    msg: enforced ? 'rejected' : 'would_reject',
    requestId: bounded(outcome.requestId, MAX_FIELD),
    api: outcome.api,
    keyId: outcome.keyId,
    reason: refusal.reason,
    status: outcome.status,
    clientIp: bounded(outcome.clientIp, MAX_FIELD),
    method: bounded(outcome.method, MAX_FIELD),
    path: loggablePath(outcome.path),
    removedEvents: outcome.removedEvents,
    mode: enforced ? 'enforce' : 'report',
    rule: refusal.rule,
    events,
    userAgent,
    traceId,
    aborted,
  };
}

/** Bounded, whatever a client sent. */
export function lineExtras({ events, userAgent, traceId, aborted }: Outcome): LineExtras {
  return {
    events: events.length === 0 ? undefined : events,
    userAgent: userAgent === undefined ? undefined : cutShort(userAgent),
    traceId: traceId ?? undefined,
    aborted: aborted || undefined,
  };
}

/** Without a mark at its end: what is compared with it may be cut in the same way. */
const cutShort = (text: string): string => (text.length <= MAX_FIELD ? text : ownText(text.slice(0, MAX_FIELD)));

/** A path as it may be written down: bounded, and without a query even if a caller left one on it, since a query may hold a key. */
export function loggablePath(path: string): string {
  return bounded(upTo('#', upTo('?', path)), MAX_PATH);
}

function upTo(mark: string, text: string): string {
  const end = text.indexOf(mark);
  return end === -1 ? text : text.slice(0, end);
}

function bounded(text: string, length: number): string {
  return text.length <= length ? text : ownText(`${text.slice(0, length)}…`);
}
