/**
 * A map with a bound: when the weights of its entries exceed it, those used longest ago go first. Keeps no time and no timers.
 */

export interface LruMap<K, V> {
  /** The value, now the most recently used. */
  readonly get: (key: K) => V | undefined;
  /** Replaces what was there. False, and nothing kept under `key`, when the entry alone is heavier than the bound. */
  readonly set: (key: K, value: V, weight?: number) => boolean;
  readonly delete: (key: K) => boolean;
  readonly clear: () => void;
  readonly size: () => number;
  /** The sum of the weights: never above the bound. */
  readonly weight: () => number;
}

/** `maxWeight` counts entries, unless `set` is told what each weighs. */
export function createLruMap<K, V>(maxWeight: number): LruMap<K, V> {
  // A Map iterates in order of insertion: an entry that is used is inserted anew, so the first one is the oldest.
  const entries = new Map<K, { readonly value: V; readonly weight: number }>();
  let total = 0;

  const remove = (key: K): boolean => {
    const entry = entries.get(key);
    if (entry === undefined) return false;
    total -= entry.weight;
    return entries.delete(key);
  };

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, weight = 1) {
      remove(key);
      if (weight > maxWeight) return false;
      entries.set(key, { value, weight });
      total += weight;
      for (const oldest of entries.keys()) {
        if (total <= maxWeight) break;
        remove(oldest);
      }
      return true;
    },
    delete: remove,
    clear() {
      entries.clear();
      total = 0;
    },
    size: () => entries.size,
    weight: () => total,
  };
}
