/**
 * Which changes of the configuration take effect at a reload and which wait for a restart: names these, and keeps what runs in
 * their place. Applies none of them.
 */
import { isDeepStrictEqual } from 'node:util';
import { fieldName } from './problem.ts';
import type { Config } from './schema.ts';

/** What is opened once: sockets, connections, stores. Everything else takes effect at a reload. */
const RESTART_ONLY = [
  ['listen'],
  ['admin'],
  ['keys'],
  ['redis'],
  ['rateLimit'],
  ['observe'],
  ['apis', 'metrics', 'cache', 'store'],
  ['apis', 'metrics', 'cache', 'maxBytes'],
] as const satisfies readonly (readonly string[])[];

/** The wanted configuration with the boot settings of the running one, which hold to the end of the process. */
export function withBootSettings(running: Config, wanted: Config): Config {
  const { listen, admin, keys, redis, rateLimit, observe } = running;
  const { metrics } = wanted.apis;
  const kept = running.apis.metrics?.cache;
  return {
    ...wanted,
    listen,
    admin,
    keys,
    redis,
    rateLimit,
    observe,
    apis:
      metrics === undefined || kept === undefined
        ? wanted.apis
        : {
            ...wanted.apis,
            metrics: { ...metrics, cache: { ...metrics.cache, store: kept.store, maxBytes: kept.maxBytes } },
          },
  };
}

/** Names of the fields that differ and wait for a restart, such as `listen.port`; for the operator's log. */
export const restartOnlyChanges = (running: Config, wanted: Config): string[] =>
  RESTART_ONLY.flatMap((path) => differences(at(running, path), at(wanted, path), path));

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((here, step) => (isMapping(here) ? here[step] : undefined), value);

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
