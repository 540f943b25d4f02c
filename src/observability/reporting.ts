/**
 * Where every request's end is told: counters, log, the list of latest rejections and the summary, held together, so that a reload
 * of `log` changes one thing. Decides nothing about a request.
 */
import type { Metrics } from './prometheus.ts';
import type { Log } from './log.ts';
import { createRecorder, type Outcome, type RequestLogging } from './outcome.ts';
import { createRecentRejections, type RecentRejections } from './recent-rejections.ts';
import { createSummary, type Summary } from './summary.ts';

export interface Reporting {
  readonly record: (outcome: Outcome) => void;
  readonly recent: RecentRejections;
  readonly summary: Summary;
  /** Which requests get a log line from now on. */
  readonly setLogging: (logging: RequestLogging) => void;
}

export interface ReportingOptions {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly logging: RequestLogging;
  /** When the process began, in milliseconds since the epoch. */
  readonly start: number;
}

export function createReporting({ metrics, log, logging, start }: ReportingOptions): Reporting {
  const recent = createRecentRejections();
  const summary = createSummary(start);
  const recorderFor = (which: RequestLogging): ((outcome: Outcome) => void) =>
    createRecorder({ metrics, log, recent, summary, logging: which, random: Math.random });
  let recorder = recorderFor(logging);
  return {
    record: (outcome) => recorder(outcome),
    recent,
    summary,
    setLogging: (next) => {
      recorder = recorderFor(next);
    },
  };
}
