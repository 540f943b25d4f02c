/**
 * What is told of many rounds: medians, and how far the middle half lies apart. Knows nothing of what was measured.
 */

export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/** The median and quartiles of at least one value, interpolated between neighbours. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
  };
}

export const medianOf = (values: readonly number[]): number => spreadOf(values).median;

/** Round by round, a value to the one measured next to it: what slows a whole round down falls out. */
export function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.flatMap((value, round) => {
    const base = to[round];
    return base === undefined ? [] : [value / base];
  });
}

function quantile(sorted: readonly number[], at: number): number {
  const position = (sorted.length - 1) * at;
  const low = sorted[Math.floor(position)];
  const high = sorted[Math.ceil(position)];
  if (low === undefined || high === undefined) throw new Error('no value was measured');
  return low + (high - low) * (position - Math.floor(position));
}
