/**
 * What the metrics API consists of besides its rules: access tokens, the token endpoint, the cache of its answers. Made anew
 * when the configuration changes; what must outlive that (failures counted, answers kept, the secret made at start) is kept.
 */
import { randomBytes } from 'node:crypto';
import type { ApiConfig, CacheConfig, TokenConfig } from '../config/apis-schema.ts';
import { cacheScope } from './cache-key.ts';
import type { CacheStats, CacheStore } from './cache-store.ts';
import { createFailureLimiter, type FailureLimiter } from './failure-limiter.ts';
import { createResponseCache, type ResponseCache } from './response-cache.ts';
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts';
import { createTokenService, type TokenService } from './token.ts';

export interface MetricsService {
  readonly tokens: TokenService;
  readonly endpoint: TokenEndpoint;
  readonly cache: ResponseCache;
}

export interface MetricsServices {
  /** The service for a configuration of the metrics API. Throws one sentence when a token key cannot be used. */
  readonly configure: (config: ApiConfig) => MetricsService;
  /** What the cache holds; null before there is one. */
  readonly cacheStats: () => CacheStats | null;
  /** Whether the cache is shared with other processes now; null: it never is. */
  readonly cacheShared: () => boolean | null;
  /** Forgets every cached answer. */
  readonly purge: () => Promise<void>;
  readonly close: () => void;
}

export interface MetricsServicesOptions {
  /** The store of answers, made once, for the settings of the first configuration. */
  readonly createStore: (settings: CacheConfig) => CacheStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly warn: (warning: string) => void;
}

export function createMetricsServices({ createStore, now, warn }: MetricsServicesOptions): MetricsServices {
  const ephemeralSecret = randomBytes(32);
  const failures = countedNow(createFailureLimiter(), now);
  let store: CacheStore | null = null;
  let cache: ResponseCache | null = null;
  let warned = false;
  return {
    configure: (config) => {
      const tokens = createTokenService(config.token as TokenConfig, ephemeralSecret);
      if (tokens.warning !== null && !warned) warn(tokens.warning);
      warned ||= tokens.warning !== null;
      const settingsOfCache = config.cache as CacheConfig;
      store ??= createStore(settingsOfCache);
      const { maxEntryBytes, staleIfErrorMinutes } = settingsOfCache;
      const settings = { scope: scopeOf(config), maxEntryBytes, staleIfErrorMs: staleIfErrorMinutes * 60_000 };
      cache = createResponseCache({ settings, store, now });
      return { tokens, endpoint: createTokenEndpoint(tokens, failures), cache };
    },
    cacheStats: () => store?.stats() ?? null,
    cacheShared: () => store?.shared() ?? null,
    purge: async () => {
      await cache?.purge();
    },
    close: () => store?.close(),
  };
}

/**
 * Counts a failure when it happens, not when its request arrived: whoever holds many requests back and ends them in reverse
 * order would have each judged before the failures of those that came after it.
 */
function countedNow(failures: FailureLimiter, now: () => number): FailureLimiter {
  return {
    secondsToWait: (address) => failures.secondsToWait(address, now()),
    fail: (address) => failures.fail(address, now()),
  };
}

/**
 * Whether a field shapes what the backend is asked or what it answers. Answers are kept apart by those that do, so that none
 * outlives a change of them. A new field does not compile until it is on this list.
 */
const SHAPES_ANSWER = {
  upstream: true,
  authorization: true,
  preserveHost: true,
  routes: true,
  preset: true,
  hosts: true,
  openapi: true,
  // Who may ask, and what the asking may cost: the answer is the same.
  credential: false,
  paths: false,
  unlisted: false,
  allowFrom: false,
  denyFrom: false,
  connectTimeoutSeconds: false,
  timeoutSeconds: false,
  idleTimeoutSeconds: false,
  maxBodyBytes: false,
  maxConnections: false,
  maxConnectionsPerKey: false,
  keepAliveSeconds: false,
  cors: false,
  enforcement: false,
  token: false,
  cache: false,
  // Field by field, below.
  tls: false,
} as const satisfies Readonly<Record<keyof ApiConfig, boolean>>;

/** By which name the backend is asked, and by whom, is part of the question; how its certificate is verified is not. */
const TLS_SHAPES_ANSWER = {
  serverName: true,
  certFile: true,
  keyFile: false,
  caFile: false,
  insecureSkipVerify: false,
} as const satisfies Readonly<Record<keyof ApiConfig['tls'], boolean>>;

const scopeOf = (api: ApiConfig): string =>
  cacheScope({ ...picked(api, SHAPES_ANSWER), ...picked(api.tls, TLS_SHAPES_ANSWER) });

/** The marked fields, in the order of the marks: the same for every process that shares the answers. */
const picked = <T extends object>(fields: T, marks: Readonly<Record<keyof T, boolean>>): Partial<T> => {
  const chosen: Partial<T> = {};
  for (const name of Object.keys(marks) as (keyof T)[]) if (marks[name]) chosen[name] = fields[name];
  return chosen;
};
