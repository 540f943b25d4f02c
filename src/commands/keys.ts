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
import type { KeyDefinition, LoadedDefinition } from '../keys/definition.ts';
import { loadKeyFile } from '../keys/key-file.ts';
import { readStoredDefinition, writtenDefinition } from '../keys/read-definition.ts';
import { keyLayout, readStoredKeys, writeKeys } from '../keys/redis-layout.ts';
import type { RedisConnection } from '../lib/redis.ts';
import type { CommandIo } from './io.ts';
import { keyTable } from './key-table.ts';
import { describeChange, planPush } from './push-plan.ts';
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
  const { config, problems } = loadConfig(args.config, io.env);
  if (config === null) return unusable(problems, io);
  if (args.action === 'push') return push(config, args, io);
  if (args.action === 'list') return list(config, io);
  return withRedis(config.redis, io, (connection) => pull(connection, config, io));
}

function push(config: Config, { dryRun, prune }: KeysArguments, io: CommandIo): number | Promise<number> {
  const { definitions, problems } = loadKeyFile(config.keys.file, io.env);
  if (definitions === null) return unusable(problems, io);
  return withRedis(config.redis, io, async (connection) => {
    const layout = keyLayout(config.redis.prefix);
    const plan = planPush(definitions, await readStoredKeys(connection, layout), prune);
    if (plan.conflicts.length > 0) {
      for (const conflict of plan.conflicts) io.stderr(`${config.keys.file}: ${conflict}`);
      return 1;
    }
    for (const change of plan.changes) io.stdout(describeChange(change));
    if (!dryRun) await writeKeys(connection, layout, plan);
    const counts = `${plan.set.size} written, ${plan.remove.length} removed, ${plan.unchanged} unchanged`;
    const others = plan.others > 0 ? `, ${plan.others} that the file does not hold` : '';
    io.stdout(dryRun ? `Nothing was changed. Without --dry-run: ${counts}${others}.` : `Done: ${counts}${others}.`);
    return 0;
  });
}

function list(config: Config, io: CommandIo): number | Promise<number> {
  const show = (loaded: readonly LoadedDefinition[]): number => {
    for (const row of keyTable(loaded, compileKeys(loaded, 1), Date.now())) io.stdout(row);
    return 0;
  };
  if (config.keys.source === 'redis')
    return withRedis(config.redis, io, async (connection) => show(await readLoaded(connection, config)));
  const { definitions, problems } = loadKeyFile(config.keys.file, io.env);
  return definitions === null ? unusable(problems, io) : show(definitions.map(asLoaded));
}

async function pull(connection: RedisConnection, config: Config, io: CommandIo): Promise<number> {
  const loaded = await readLoaded(connection, config);
  const { byId, invalid } = compileKeys(loaded, 1);
  const usable = loaded.flatMap((entry) =>
    'definition' in entry && byId.has(entry.id) ? [writtenDefinition(entry.definition)] : [],
  );
  // In Redis `${` is text; in a file it begins a reference.
  io.stdout(stringify({ keys: usable.map(withoutReferences) }, { lineWidth: 0 }).trimEnd());
  for (const { id, why } of invalid) io.stderr(`the key ${JSON.stringify(id)} is left out: ${why}`);
  return invalid.length === 0 ? 0 : 1;
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
