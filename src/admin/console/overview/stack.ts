/** Refusals by minute as layers of a stacked chart: the most frequent ones by name, the rest as one. */
import type { Mode, RefusalCounts } from '../api/types.ts';

export type GroupBy = 'reason' | 'key';

export interface Layer {
  readonly name: string;
  readonly total: number;
  /** One count a minute. */
  readonly counts: readonly number[];
}

export interface Stack {
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  /** The most frequent first. */
  readonly layers: readonly Layer[];
  readonly total: number;
}

/** As many as there are colours that are told apart at a glance; the last one is for the rest. */
export const MAX_LAYERS = 7;

export const REST = 'others';

export function stackOf(minutes: RefusalCounts['minutes'], mode: Mode, by: GroupBy): Stack {
  const parts = minutes.map((minute) => (by === 'reason' ? minute[mode].byReason : minute[mode].byKey));
  const totals = new Map<string, number>();
  for (const part of parts)
    for (const [name, count] of Object.entries(part)) totals.set(name, (totals.get(name) ?? 0) + count);
  const names = [...totals.keys()].sort((a, b) => (totals.get(b) ?? 0) - (totals.get(a) ?? 0) || (a < b ? -1 : 1));
  const shown = names.length > MAX_LAYERS ? names.slice(0, MAX_LAYERS - 1) : names;
  const layers = shown.map((name) =>
    layerOf(
      name,
      parts.map((part) => part[name] ?? 0),
    ),
  );
  const rest = names.slice(shown.length);
  if (rest.length > 0)
    layers.push(
      layerOf(
        REST,
        parts.map((part) => rest.reduce((sum, name) => sum + (part[name] ?? 0), 0)),
      ),
    );
  return {
    times: minutes.map(({ time }) => Date.parse(time) / 1000),
    layers,
    total: layers.reduce((sum, { total }) => sum + total, 0),
  };
}

const layerOf = (name: string, counts: readonly number[]): Layer => ({
  name,
  counts,
  total: counts.reduce((sum, count) => sum + count, 0),
});

/** The upper edge of each layer, the highest first, as bars are drawn one over the other. */
export function edges({ layers }: Stack): number[][] {
  const sums: number[][] = [];
  for (const { counts } of layers) {
    const below = sums.at(-1);
    sums.push(counts.map((count, at) => count + (below?.[at] ?? 0)));
  }
  return sums.toReversed();
}
