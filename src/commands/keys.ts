/**
 * `postern keys`: copies the key file into Redis, shows the keys of the configured source, writes those in Redis as YAML.
 * Secrets leave it as hashes only.
 */
import { stringify } from 'yaml';
import { loadConfig } from '../config/load.ts';
import { formatProblem, hasErrors, type Problem } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { withoutReferences } from '../config/substitution.ts';
import { compileKeys } from '../keys/compile.ts';
import type { KeyDefinition, Loaded, LoadedDefinition, SharedRecords } from '../keys/definition.ts';
import { loadKeyFile } from '../keys/key-file.ts';
import { writtenList } from '../keys/list-definition.ts';
import { readStoredDefinition, writtenDefinition, writtenPolicy } from '../keys/read-definition.ts';
import { keyLayout, readStoredKeys, writeKeys } from '../keys/redis-layout.ts';
import { readStoredList, readStoredPolicy } from '../keys/stored-records.ts';
import type { RedisConnection } from '../lib/redis.ts';
import type { CommandIo } from './io.ts';
import { keyTable, recordTable } from './key-table.ts';
import { describeChange, planPush } from './push-plan.ts';
import { planRecords, type StoredRecordTexts } from './push-records.ts';
import { withRedis } from './with-redis.ts';

export interface KeysArguments {
  readonly action: 'push' | 'list' | 'pull';
  readonly config: string;
  /** For `push`: only show what would change. */
  readonly dryRun: boolean;
  /** For `push`: also delete the keys that the file does not hold. */
  readonly prune: boolean;
}

/** Exit codes: 0 done, 1 the configuration or a key is not usable, 70 Redis cannot be reached or refuses. */
export async function runKeys(args: KeysArguments, io: CommandIo): Promise<number> {
  const { config, problems, namesRedis } = loadConfig(args.config, io.env);
  if (config === null) return unusable(problems, io);
  if (args.action === 'list') return list(config, io);
  if (!namesRedis && !usesRedis(config)) {
    io.stderr(`${args.config}: says nothing of Redis: add \`redis: { url: redis://HOST:6379 }\`, or wherever it is`);
    return 1;
  }
  if (args.action === 'push') return push(config, args, io);
  return withRedis(config.redis, io, (connection) => pull(connection, config, io));
}

/** Then the default of `redis.url` is meant. */
const usesRedis = ({ keys, rateLimit, observe, apis }: Config): boolean =>
  [keys.source, rateLimit.store, observe.store, ...Object.values(apis).map(({ cache }) => cache?.store)].includes(
    'redis',
  );

function push(config: Config, { dryRun, prune }: KeysArguments, io: CommandIo): number | Promise<number> {
  const { definitions, records, problems } = loadKeyFile(config.keys.file, io.env, Object.keys(config.apis));
  if (definitions === null) return unusable(problems, io);
  return withRedis(config.redis, io, async (connection) => {
    const layout = keyLayout(config.redis.prefix);
    const shared = planRecords(records, await readRecordTexts(connection, config), prune);
    const plan = planPush(definitions, await readStoredKeys(connection, layout), prune, shared.after);
    const conflicts = [...shared.conflicts, ...plan.conflicts];
    if (conflicts.length > 0) {
      for (const conflict of conflicts) io.stderr(`${config.keys.file}: ${conflict}`);
      return 1;
    }
    const { policies, lists } = shared;
    for (const change of [...shared.changes, ...plan.changes]) io.stdout(describeChange(change));
    if (!dryRun) await writeKeys(connection, layout, { ...plan, policies, lists });
    const written = plan.set.size + policies.set.size + lists.set.size;
    const removed = plan.remove.length + policies.remove.length + lists.remove.length;
    const counts = `${written} written, ${removed} removed, ${plan.unchanged + shared.unchanged} unchanged`;
    const staying = plan.others + shared.others;
    const others = staying > 0 ? `, ${staying} that the file does not hold` : '';
    io.stdout(dryRun ? `Nothing was changed. Without --dry-run: ${counts}${others}.` : `Done: ${counts}${others}.`);
    return 0;
  });
}

function list(config: Config, io: CommandIo): number | Promise<number> {
  const show = (loaded: readonly LoadedDefinition[], records: SharedRecords): number => {
    for (const row of keyTable(loaded, compileKeys(loaded, 1, records), Date.now())) io.stdout(row);
    for (const row of recordTable(records)) io.stdout(row);
    return 0;
  };
  if (config.keys.source === 'redis')
    return withRedis(config.redis, io, async (connection) => {
      const records = await readRecords(connection, config);
      return show(await readLoaded(connection, config), records);
    });
  const { definitions, records, problems } = loadKeyFile(config.keys.file, io.env);
  return definitions === null ? unusable(problems, io) : show(definitions.map(asLoaded), records);
}

async function pull(connection: RedisConnection, config: Config, io: CommandIo): Promise<number> {
  const loaded = await readLoaded(connection, config);
  const records = await readRecords(connection, config);
  const { byId, invalid } = compileKeys(loaded, 1, records);
  const usable = loaded.flatMap((entry) =>
    'definition' in entry && byId.has(entry.id) ? [writtenDefinition(entry.definition)] : [],
  );
  // In Redis `${` is text; in a file it begins a reference.
  const written = withoutReferences({
    keys: usable,
    ...section('policies', records.policies, writtenPolicy),
    ...section('addressLists', records.lists, writtenList),
  });
  io.stdout(stringify(written, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd());
  const unreadable = [...records.policies.values(), ...records.lists.values()].filter((one) => 'invalid' in one);
  for (const { id, invalid: why } of unreadable) io.stderr(`${JSON.stringify(id)} is left out: ${why}`);
  for (const { id, why } of invalid) io.stderr(`the key ${JSON.stringify(id)} is left out: ${why}`);
  return invalid.length + unreadable.length === 0 ? 0 : 1;
}

/** A section of the key file; none for no records. */
function section<T>(
  name: string,
  records: ReadonlyMap<string, Loaded<T>>,
  written: (definition: T) => unknown,
): Record<string, unknown> {
  const entries = [...records]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([id, one]) => ('definition' in one ? [[id, written(one.definition)] as const] : []));
  return entries.length === 0 ? {} : { [name]: Object.fromEntries(entries) };
}

async function readRecordTexts(connection: RedisConnection, config: Config): Promise<StoredRecordTexts> {
  const layout = keyLayout(config.redis.prefix);
  return {
    policies: await readStoredKeys(connection, layout, 'policies'),
    lists: await readStoredKeys(connection, layout, 'lists'),
  };
}

async function readRecords(connection: RedisConnection, config: Config): Promise<SharedRecords> {
  const { policies, lists } = await readRecordTexts(connection, config);
  return {
    policies: new Map([...policies].map(([id, json]) => [id, readStoredPolicy(id, json)])),
    lists: new Map([...lists].map(([id, json]) => [id, readStoredList(id, json)])),
  };
}

async function readLoaded(connection: RedisConnection, config: Config): Promise<LoadedDefinition[]> {
  const stored = await readStoredKeys(connection, keyLayout(config.redis.prefix));
  return [...stored].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, json]) => readStoredDefinition(id, json));
}

const asLoaded = (definition: KeyDefinition): LoadedDefinition => ({ id: definition.id, definition });

function unusable(problems: readonly Problem[], io: CommandIo): number {
  for (const problem of problems) if (hasErrors([problem])) io.stderr(formatProblem(problem));
  return 1;
}
