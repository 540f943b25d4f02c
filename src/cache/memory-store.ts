/**
 * The cache store of one process: at most so many bytes, the answers used longest ago go first. Answers at once, never later.
 */
import { createLruMap } from '../lib/lru-map.ts';
import { ownText } from '../lib/own-text.ts';
import type { CacheEntry, CacheStats } from './store.ts';

/** A `CacheStore` whose every answer is immediate. */
export interface MemoryStore {
  readonly get: (key: string) => CacheEntry | undefined;
  readonly set: (key: string, entry: CacheEntry, ttlMs: number) => void;
  readonly delete: (key: string) => void;
  readonly clear: () => void;
  readonly stats: () => CacheStats;
  readonly shared: () => null;
  readonly close: () => void;
}

export interface MemoryStoreSettings {
  readonly maxBytes: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Kept {
  readonly entry: CacheEntry;
  readonly expiresAt: number;
}

export function createMemoryStore({ maxBytes, now }: MemoryStoreSettings): MemoryStore {
  const kept = createLruMap<string, Kept>(maxBytes);
  return {
    get(key) {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      if (found.expiresAt > now()) return found.entry;
      kept.delete(key);
      return undefined;
    },
    set(key, entry, ttlMs) {
      const compact = withOwnMemory(entry);
      kept.set(key, { entry: compact, expiresAt: now() + ttlMs }, bytesOf(key, compact));
    },
    delete: (key) => void kept.delete(key),
    clear: kept.clear,
    stats: () => ({ bytes: kept.weight(), entries: kept.size() }),
    shared: () => null,
    close: kept.clear,
  };
}

/** About what an entry costs beyond its bytes: the objects, the array and the buffer's header. */
const ENTRY_OVERHEAD = 384;
const FIELD_OVERHEAD = 24;

function bytesOf(key: string, entry: CacheEntry): number {
  const texts = entry.kind === 'vary' ? entry.names : entry.headers;
  let bytes = ENTRY_OVERHEAD + key.length;
  for (const text of texts) bytes += text.length + FIELD_OVERHEAD;
  return entry.kind === 'vary' ? bytes : bytes + entry.statusText.length + entry.body.length;
}

/**
 * A buffer may be a window on a much larger one, and a text a view of the whole head that it was cut from: all of it would stay in
 * memory uncounted.
 */
function withOwnMemory(entry: CacheEntry): CacheEntry {
  if (entry.kind === 'vary') return { ...entry, names: entry.names.map(ownText) };
  const { body, statusText } = entry;
  return { ...entry, statusText: ownText(statusText), headers: entry.headers.map(ownText), body: ownBytes(body) };
}

function ownBytes(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}
