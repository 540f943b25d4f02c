/**
 * One histogram of durations. An observation costs a short loop and two additions; the cumulative form is made when it is read.
 */
import { DURATION_BUCKETS } from './metric-definitions.ts';
import type { Sample } from './metric-definitions.ts';

export interface Durations {
  readonly observe: (seconds: number) => void;
  /** The series of a Prometheus histogram: cumulative buckets up to `+Inf`, sum and count. */
  readonly samples: (metric: string, labels: Readonly<Record<string, string>>) => readonly Sample[];
}

export function createDurations(): Durations {
  const bounds: readonly number[] = DURATION_BUCKETS;
  // One more than there are bounds: the last holds what lies above all of them.
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  return {
    observe(seconds) {
      let bucket = 0;
      while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
      (counts[bucket] as number)++;
      sum += seconds;
    },
    samples(metric, labels) {
      let count = 0;
      const samples: Sample[] = [...bounds, '+Inf'].map((le, bucket) => {
        count += counts[bucket] as number;
        return { metricName: `${metric}_bucket`, labels: { ...labels, le }, value: count };
      });
      samples.push({ metricName: `${metric}_sum`, labels, value: sum });
      samples.push({ metricName: `${metric}_count`, labels, value: count });
      return samples;
    },
  };
}
