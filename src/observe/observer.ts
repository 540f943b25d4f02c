/**
 * Observation as a whole: counts in this process, a store beyond it, and events that are still to be found. Made once, if it is
 * switched on.
 */
import type { Config } from '../config/schema.ts';
import { createObservationStore } from './create-store.ts';
import type { DayCounts } from './day-counts.ts';
import { createEventReader, type EventReader } from './event-reader.ts';
import { dayOf, Observations, type Subject } from './observations.ts';

export interface Observer {
  readonly observations: Observations;
  readonly reader: EventReader;
  /** What a caller did in the last `days` days, today among them, joined over days and processes. */
  readonly read: (subject: Subject, days: number) => Promise<DayCounts>;
  /** How many days there can be. */
  readonly days: number;
  /** Things that found no room, since the start, by the id of the key; of callers without a known one under "". */
  readonly truncated: () => ReadonlyMap<string, number>;
  /** Whether what is counted is shared with other processes now; null: it never is. */
  readonly shared: () => boolean | null;
  /** Writes what is left. */
  readonly close: () => Promise<void>;
}

export interface ObserverPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Readonly<Record<'info' | 'warn', (event: string, fields: { readonly detail: string }) => void>>;
}

/** null: observation is off. */
export function createObserver(config: Config, { now, log }: ObserverPorts): Observer | null {
  const { enabled, days } = config.observe;
  if (!enabled) return null;
  const observations = new Observations({ days });
  const reader = createEventReader(observations);
  const store = createObservationStore(config, observations, {
    now,
    onFallback: (failing, detail) =>
      failing
        ? log.warn('observations_not_kept', { detail })
        : log.info('observations_kept_again', { detail: 'what was counted meanwhile is kept, too' }),
    onUnreadable: (detail) => log.warn('observations_unreadable', { detail }),
  });
  return {
    observations,
    reader,
    days,
    async read(subject, wanted) {
      await reader.idle();
      return store.read(subject, dayOf(now()) - Math.min(wanted, days) + 1);
    },
    truncated() {
      const byKey = new Map<string, number>();
      for (const { subject, missed } of observations.missed()) {
        const key = subject.kind === 'key' ? subject.name : '';
        if (missed > 0) byKey.set(key, (byKey.get(key) ?? 0) + missed);
      }
      return byKey;
    },
    shared: store.shared,
    async close() {
      await reader.idle();
      await store.close();
    },
  };
}
