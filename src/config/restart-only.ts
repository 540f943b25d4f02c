/**
 * Which changes of the configuration take effect at a reload and which wait for a restart: names these, and keeps what runs in
 * their place. Applies none of them.
 */
import { isDeepStrictEqual } from 'node:util';
import { fieldName } from './problem.ts';
import type { ApiConfig } from './apis-schema.ts';
import type { Config } from './schema.ts';

/** What is opened once: sockets, connections, stores. Everything else takes effect at a reload. */
const RESTART_ONLY = ['listen', 'admin', 'keys', 'redis', 'rateLimit', 'observe'] as const;
/** The same of the cache of an API. */
const OF_A_CACHE = ['store', 'maxBytes'] as const;

/** The wanted configuration with the boot settings of the running one, which hold to the end of the process. */
export function withBootSettings(running: Config, wanted: Config): Config {
  const { listen, admin, keys, redis, rateLimit, observe } = running;
  const apis = new Map(Object.entries(running.apis));
  return {
    ...wanted,
    // A list of addresses is no socket: who is refused from now on does not wait.
    listen: {
      ...listen,
      denyFrom: wanted.listen.denyFrom,
      tls: kindOfTls(listen.tls) === kindOfTls(wanted.listen.tls) ? wanted.listen.tls : listen.tls,
    },
    admin: {
      ...admin,
      // Who may change keys is decided anew at once.
      token: wanted.admin.token,
      tokens: wanted.admin.tokens,
      tls: kindOfTls(admin.tls) === kindOfTls(wanted.admin.tls) ? wanted.admin.tls : admin.tls,
    },
    keys,
    redis,
    rateLimit,
    observe,
    apis: Object.fromEntries(
      Object.entries(wanted.apis).map(([name, api]) => [name, withBootCache(apis.get(name), api)]),
    ),
  };
}

/** What is settled when a port is opened: whether it speaks TLS, and whether it asks clients for certificates. Files may change. */
function kindOfTls(tls: { readonly certFile: string; readonly clientCaFile?: string | null } | null): string {
  if (tls === null) return 'plain';
  return (tls.clientCaFile ?? null) === null ? 'secure' : 'mutual';
}

function withBootCache(running: ApiConfig | undefined, api: ApiConfig): ApiConfig {
  const kept = running?.cache ?? null;
  if (api.cache === null || kept === null) return api;
  return { ...api, cache: { ...api.cache, store: kept.store, maxBytes: kept.maxBytes } };
}

/** Names of the fields that differ and wait for a restart, such as `listen.port`; for the operator's log. */
export function restartOnlyChanges(running: Config, wanted: Config): string[] {
  const { listen, admin } = withBootSettings(running, wanted);
  // What has taken effect in them does not differ from what is wanted, and everything else from what runs.
  const before = {
    ...running,
    listen: { ...running.listen, denyFrom: listen.denyFrom, tls: listen.tls },
    admin: { ...running.admin, token: admin.token, tokens: admin.tokens, tls: admin.tls },
  };
  const caches = Object.keys(wanted.apis).flatMap((name) =>
    OF_A_CACHE.map((field): readonly string[] => ['apis', name, 'cache', field]),
  );
  return [...RESTART_ONLY.map((section) => [section]), ...caches].flatMap((path) =>
    differences(at(before, path), at(wanted, path), path),
  );
}

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((here, step) => (isMapping(here) && Object.hasOwn(here, step) ? here[step] : undefined), value);

/** An API that comes or goes has no differing fields: that takes effect at once. */
function differences(before: unknown, after: unknown, path: readonly string[]): string[] {
  if (before === undefined || after === undefined || isDeepStrictEqual(before, after)) return [];
  if (!isMapping(before) || !isMapping(after)) return [fieldName(path)];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((field) =>
    isDeepStrictEqual(before[field], after[field])
      ? []
      : differencesOfField(before[field], after[field], [...path, field]),
  );
}

const differencesOfField = (before: unknown, after: unknown, path: readonly string[]): string[] =>
  isMapping(before) && isMapping(after) ? differences(before, after, path) : [fieldName(path)];

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
