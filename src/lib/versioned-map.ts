/**
 * A map that changes, of which any state can be kept. A kept state never changes, and costs far less than a copy: entries lie in
 * many small maps by the hash of their key, and a change copies only the one that it touches. Knows nothing of values.
 */

export interface VersionedMap<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  /** The state of now. Unchanged states are the same object. */
  keep(): ReadonlyMap<string, V>;
}

type Bucket<V> = ReadonlyMap<string, V>;

/** With 100,000 entries, a change copies about a hundred of them and one list of this length. */
const BUCKETS = 1024;

/** `told`: how many code units of a key tell it apart from others well enough, such as a few digits of a digest. */
export function createVersionedMap<V>(told = Infinity): VersionedMap<V> {
  const none: Bucket<V> = new Map();
  let buckets: Bucket<V>[] = Array.from({ length: BUCKETS }, () => none);
  let size = 0;
  /** Which buckets no kept state has: those may be written. */
  const own = new Uint8Array(BUCKETS);
  let kept: KeptMap<V> | null = null;

  const writable = (index: number): Map<string, V> => {
    if (kept !== null) {
      buckets = [...buckets];
      own.fill(0);
      kept = null;
    }
    if (own[index] === 1) return buckets[index] as Map<string, V>;
    const copy = new Map(buckets[index]);
    buckets[index] = copy;
    own[index] = 1;
    return copy;
  };

  return {
    get: (key) => (buckets[indexOf(key, told)] as Bucket<V>).get(key),
    set(key, value) {
      const bucket = writable(indexOf(key, told));
      const before = bucket.size;
      bucket.set(key, value);
      size += bucket.size - before;
    },
    delete(key) {
      const index = indexOf(key, told);
      if (buckets[index]?.has(key) !== true) return;
      writable(index).delete(key);
      size -= 1;
    },
    keep: () => (kept ??= new KeptMap(buckets, size, told)),
  };
}

/** One state. Its entries come in no useful order. */
class KeptMap<V> implements ReadonlyMap<string, V> {
  readonly size: number;
  readonly #buckets: readonly Bucket<V>[];
  readonly #told: number;

  constructor(buckets: readonly Bucket<V>[], size: number, told: number) {
    this.#buckets = buckets;
    this.size = size;
    this.#told = told;
  }

  get(key: string): V | undefined {
    return (this.#buckets[indexOf(key, this.#told)] as Bucket<V>).get(key);
  }

  has(key: string): boolean {
    return (this.#buckets[indexOf(key, this.#told)] as Bucket<V>).has(key);
  }

  forEach(use: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const bucket of this.#buckets) bucket.forEach((value, key) => use(value, key, this));
  }

  *entries(): Generator<[string, V], undefined> {
    for (const bucket of this.#buckets) yield* bucket;
  }

  *keys(): Generator<string, undefined> {
    for (const bucket of this.#buckets) yield* bucket.keys();
  }

  *values(): Generator<V, undefined> {
    for (const bucket of this.#buckets) yield* bucket.values();
  }

  [Symbol.iterator](): Generator<[string, V], undefined> {
    return this.entries();
  }
}

/** FNV-1a over the first code units, folded to the number of buckets. */
function indexOf(key: string, told: number): number {
  const length = Math.min(key.length, told);
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & (BUCKETS - 1);
}
