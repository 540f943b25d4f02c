/** Summaries as the admin API sends them, made from what a server counted: for tests of what the console makes of them. */
import type { Summary } from '../../src/admin/console/api/types.ts';
import type { Mode } from '../../src/keys/key.ts';
import type { Rejection } from '../../src/observability/outcome.ts';
import { createSummary } from '../../src/observability/summary.ts';
import { outcome, rejected } from './outcomes.ts';

export interface Came {
  /** Minutes after the start. */
  readonly at: number;
  readonly times?: number;
  readonly keyId?: string;
  readonly reason?: string;
  readonly clientIp?: string;
  readonly mode?: Mode;
  /** It passed. */
  readonly passed?: boolean;
}

const START = Date.UTC(2026, 0, 31, 12);

export const minuteAfterStart = (minutes: number): string => new Date(START + minutes * 60_000).toISOString();

/** What a server that started at noon says `now` minutes later. */
export function summaryOf(now: number, came: readonly Came[], minutes = 60): Summary {
  const summary = createSummary(START);
  for (const { at, times = 1, passed = false, ...change } of came) {
    const time = START + at * 60_000;
    const rejection = rejected(change as Partial<Rejection>);
    for (let n = 0; n < times; n++)
      summary.record(outcome({ now: time, keyId: rejection.keyId }), passed ? null : rejection);
  }
  return structuredClone(summary.read(START + now * 60_000, minutes)) as Summary;
}
