/**
 * The caches of answers of all APIs that have one. An API that says how much memory its answers may have gets that; all others share
 * one store. Made anew where the configuration changes; what is kept under the settings that stay is kept. Decides about no answer.
 */
import type { ApiName } from '../config/api-names.ts';
import { DEFAULT_CACHE, type ApiConfig, type CacheConfig } from '../config/apis-schema.ts';
import { scopeOf } from './cache-scope.ts';
import { createResponseCache, type ResponseCache } from './response-cache.ts';
import type { CacheStats, CacheStore } from './store.ts';

export interface Caches {
  /** For each of these APIs its cache. Stores that no API has any more are closed. */
  readonly configure: (apis: readonly (readonly [ApiName, ApiConfig])[]) => ReadonlyMap<ApiName, ResponseCache>;
  /** What they hold together; null: there is none. */
  readonly stats: () => CacheStats | null;
  /** Whether answers are shared with other processes now, by all that should be; null: none should. */
  readonly shared: () => boolean | null;
  /** Forgets every cached answer. Rejects, with why, where those that other processes share stay. */
  readonly purge: () => Promise<void>;
  readonly close: () => void;
}

export interface CachesOptions {
  /** `onPurged`: to be called when another process has emptied what the store shares with it. */
  readonly createStore: (settings: CacheConfig, onPurged: () => void) => CacheStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface OpenStore {
  /** The settings as text. */
  readonly settings: string;
  readonly store: CacheStore;
}

interface OpenCache {
  readonly store: CacheStore;
  readonly settings: string;
  readonly cache: ResponseCache;
}

export function createCaches({ createStore, now }: CachesOptions): Caches {
  /** By the name of the API; '' is that of all that say nothing. */
  let stores = new Map<ApiName, OpenStore>();
  let caches = new Map<ApiName, OpenCache>();

  const storeFor = (owner: ApiName, { store, maxBytes }: CacheConfig): OpenStore => {
    const settings = JSON.stringify([store, maxBytes]);
    const open = stores.get(owner);
    if (open?.settings === settings) return open;
    return { settings, store: createStore({ ...DEFAULT_CACHE, store, maxBytes }, detachAll) };
  };
  /** What the backend was asked before a purge is neither kept nor joined after it. */
  const detachAll = (): void => {
    for (const { cache } of caches.values()) cache.detach();
  };
  const cacheFor = (name: ApiName, api: ApiConfig, store: CacheStore): OpenCache => {
    const { maxEntryBytes, staleIfErrorMinutes } = api.cache ?? DEFAULT_CACHE;
    const wanted = { scope: scopeOf(name, api), maxEntryBytes, staleIfErrorMs: staleIfErrorMinutes * 60_000 };
    const settings = JSON.stringify(wanted);
    const open = caches.get(name);
    if (open?.store === store && open.settings === settings) return open;
    return { store, settings, cache: createResponseCache({ settings: wanted, store, now }) };
  };

  return {
    configure(apis) {
      const nextStores = new Map<ApiName, OpenStore>();
      const nextCaches = new Map<ApiName, OpenCache>();
      for (const [name, api] of apis) {
        const owner = api.cache === null ? '' : name;
        const open = nextStores.get(owner) ?? storeFor(owner, api.cache ?? DEFAULT_CACHE);
        nextStores.set(owner, open);
        nextCaches.set(name, cacheFor(name, api, open.store));
      }
      for (const [owner, { store }] of stores) if (nextStores.get(owner)?.store !== store) store.close();
      [stores, caches] = [nextStores, nextCaches];
      return new Map([...caches].map(([name, { cache }]) => [name, cache]));
    },
    stats: () => (stores.size === 0 ? null : sumOf([...stores.values()].map(({ store }) => store.stats()))),
    shared() {
      const told = [...stores.values()].map(({ store }) => store.shared()).filter((one) => one !== null);
      return told.length === 0 ? null : told.every((one) => one);
    },
    async purge() {
      detachAll();
      await Promise.all([...stores.values()].map(async ({ store }) => store.clear()));
    },
    close() {
      for (const { store } of stores.values()) store.close();
    },
  };
}

const sumOf = (stats: readonly CacheStats[]): CacheStats =>
  stats.reduce((sum, { bytes, entries }) => ({ bytes: sum.bytes + bytes, entries: sum.entries + entries }));
