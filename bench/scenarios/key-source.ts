/**
 * S9: 100,000 keys, in a file and in Redis: how long until ready, how much memory over that of ten keys, and how long from a
 * change to the first request that it lets pass.
 */
import { execFile } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { requireTool } from '../../test/support/tools.ts';
import { statusOf } from '../load.ts';
import { numberedKey, postBatch } from '../loads.ts';
import { keyFile, startPostern, type KeyDefinition, type Postern } from '../postern.ts';
import { freePort, launch, LOAD_CORE, untilListening } from '../processes.ts';
import type { Bench, Row, Scenario } from '../scenario.ts';

const MANY = 100_000;
const FEW = 10;
const PATIENCE_SECONDS = 300;

const keysUpTo = (count: number): KeyDefinition[] => Array.from({ length: count }, (_, index) => numberedKey(index));
const ADDED = MANY;

export const manyKeysInFile: Scenario = async (bench) => {
  const start = (keys: readonly KeyDefinition[]) => startIn(bench, keys);
  const addKey = async ({ keysFile }: Postern): Promise<void> => {
    writeFileSync(`${keysFile}.next`, keyFile(keysUpTo(MANY + 1)));
    renameSync(`${keysFile}.next`, keysFile);
  };
  return [await measureKeys('key file', { start, addKey })];
};

export const manyKeysInRedis: Scenario = async (bench) => {
  const port = await freePort();
  const command = [requireTool('redis-server', 'redis-server'), '--port', String(port), '--save', ''] as const;
  const redis = launch({ core: LOAD_CORE, command, logFile: join(bench.newFolder(), 'redis.log') });
  try {
    await untilListening(port, redis);
    const config = { keys: { source: 'redis' }, redis: { url: `redis://127.0.0.1:${port}` } };
    const start = async (keys: readonly KeyDefinition[]): Promise<Postern> => {
      await push(bench, config.redis, keys);
      return startIn(bench, [], config);
    };
    const addKey = () => writeKey(config.redis.url, numberedKey(ADDED));
    return [await measureKeys('Redis hash', { start, addKey })];
  } finally {
    await redis.stop();
  }
};

interface Ways {
  readonly start: (keys: readonly KeyDefinition[]) => Promise<Postern>;
  /** Resolves when the change is written. */
  readonly addKey: (postern: Postern) => Promise<void>;
}

async function measureKeys(source: string, { start, addKey }: Ways): Promise<Row> {
  const few = await start(keysUpTo(FEW));
  const idleBytes = few.server.residentBytes();
  await few.server.stop();
  const postern = await start(keysUpTo(MANY));
  try {
    const { server, port, readyAfter } = postern;
    const overIdle = (server.residentBytes() - idleBytes) / 1e6;
    const asked = postBatch(`key-${ADDED}`);
    if ((await statusOf(port, asked)) !== 401) throw new Error(`S9: the key is known before it was added`);
    await addKey(postern);
    const changedAt = performance.now();
    while ((await statusOf(port, asked)) === 401) await pause(10);
    const live = performance.now() - changedAt;
    const figures = `ready ${readyAfter.toFixed(0)} ms, memory +${overIdle.toFixed(0)} MB, change ${live.toFixed(0)} ms`;
    return { scenario: 'S9', what: `${MANY.toLocaleString('en')} keys, ${source}`, figure: figures, comparisons: [] };
  } finally {
    await postern.server.stop();
  }
}

function startIn(
  { builds: [build], newFolder, backendPort }: Bench,
  keys: readonly KeyDefinition[],
  config: Readonly<Record<string, unknown>> = {},
): Promise<Postern> {
  const folder = join(newFolder(), 'postern');
  return startPostern({ build, folder, backendPort, keys, config, patienceSeconds: PATIENCE_SECONDS });
}

/** With Postern's own command. */
async function push(
  { builds: [build], newFolder }: Bench,
  redis: object,
  keys: readonly KeyDefinition[],
): Promise<void> {
  const folder = newFolder();
  const [configFile, keysFile] = [join(folder, 'push.json'), join(folder, 'keys.json')];
  writeFileSync(keysFile, keyFile(keys));
  const apis = { integration: { upstream: 'http://127.0.0.1:1' } };
  writeFileSync(configFile, JSON.stringify({ apis, redis, keys: { file: keysFile } }));
  const args = [join(build.folder, 'main.js'), 'keys', 'push', '--config', configFile, '--prune'];
  await promisify(execFile)(process.execPath, args, { maxBuffer: 1e9 });
}

/** As any writer does it: a command of its own would take longer to start than the change to arrive. */
async function writeKey(url: string, key: KeyDefinition): Promise<void> {
  const redis = new Redis(url);
  const id = String(key['id']);
  await redis
    .multi()
    .hset('postern:keys', id, JSON.stringify(key))
    .incr('postern:keys:version')
    .publish('postern:keys:changed', id)
    .exec();
  redis.disconnect();
}
