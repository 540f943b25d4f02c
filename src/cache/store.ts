/**
 * What a store of cached answers is: memory here, Redis elsewhere, both held to one contract suite. A store keeps and forgets;
 * whether an entry is fresh, and who may see it, is decided by those who ask.
 */

/** A whole answer of the upstream, as it is sent to a client. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  /** Names and values alternating, in the order and spelling received, without hop-by-hop fields. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** A stored answer. Its headers lack `Age`: `initialAge` holds what it said. */
export interface AnswerEntry extends Answer {
  readonly kind: 'answer';
  /** Milliseconds since the epoch. */
  readonly storedAt: number;
  /** How long it is fresh, in milliseconds. */
  readonly freshMs: number;
  /** Seconds that the answer was old when it was stored (RFC 9111 4.2.3). */
  readonly initialAge: number;
}

/** Stands where an answer would, when the answer depends on request headers: by these it is found (RFC 9111 4.1). */
export interface VaryEntry {
  readonly kind: 'vary';
  /** Lower-case, sorted, without repetition. */
  readonly names: readonly string[];
}

export type CacheEntry = AnswerEntry | VaryEntry;

export interface CacheStats {
  /** What the entries take in memory, by the store's own reckoning. */
  readonly bytes: number;
  readonly entries: number;
}

/**
 * Keys are 64 hex digits. A store may forget whatever it likes, but never gives back anything but a whole entry that was set
 * under that very key, and nothing once its `ttlMs` is over. A store that fails gives nothing; it never throws, and nothing but
 * `clear` rejects.
 */
export interface CacheStore {
  readonly get: (key: string) => CacheEntry | undefined | Promise<CacheEntry | undefined>;
  /** Replaces what was there. An entry that is too large replaces it by nothing. */
  readonly set: (key: string, entry: CacheEntry, ttlMs: number) => void | Promise<void>;
  readonly delete: (key: string) => void | Promise<void>;
  /** Rejects where what other processes would be given stays. */
  readonly clear: () => void | Promise<void>;
  readonly stats: () => CacheStats;
  /** Whether answers are shared with other processes now; null: they never are. */
  readonly shared: () => boolean | null;
  readonly close: () => void;
}
