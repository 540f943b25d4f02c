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

/**
 * An entry in a ring from the latest used to the oldest; a node without an entry closes the ring. The order of a Map would do the
 * same, but moving an entry there makes the Map rehash again and again.
 */
interface Node<K, V> {
  newer: Node<K, V>;
  older: Node<K, V>;
  readonly key: K;
  readonly value: V;
  readonly weight: number;
}

/** `maxWeight` counts entries, unless `set` is told what each weighs. */
export function createLruMap<K, V>(maxWeight: number): LruMap<K, V> {
  const nodes = new Map<K, Node<K, V>>();
  const ring = { weight: 0 } as Node<K, V>;
  let total = 0;

  const clear = (): void => {
    nodes.clear();
    total = 0;
    ring.newer = ring;
    ring.older = ring;
  };

  const insert = (node: Node<K, V>): void => {
    node.newer = ring;
    node.older = ring.older;
    ring.older.newer = node;
    ring.older = node;
  };

  const take = ({ newer, older }: Node<K, V>): void => {
    newer.older = older;
    older.newer = newer;
  };

  const remove = (node: Node<K, V> | undefined): boolean => {
    if (node === undefined) return false;
    take(node);
    total -= node.weight;
    return nodes.delete(node.key);
  };

  clear();
  return {
    get(key) {
      const node = nodes.get(key);
      if (node === undefined) return undefined;
      if (ring.older !== node) {
        take(node);
        insert(node);
      }
      return node.value;
    },
    set(key, value, weight = 1) {
      remove(nodes.get(key));
      if (weight > maxWeight) return false;
      const node = { newer: ring, older: ring, key, value, weight };
      nodes.set(key, node);
      insert(node);
      total += weight;
      for (let excess = total - maxWeight; excess > 0;) {
        const oldest = ring.newer;
        excess -= oldest.weight;
        remove(oldest);
      }
      return true;
    },
    delete: (key) => remove(nodes.get(key)),
    clear,
    size: () => nodes.size,
    weight: () => total,
  };
}
