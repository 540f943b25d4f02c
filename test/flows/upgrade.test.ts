/**
 * A deployment of 0.1 means the same here: its configuration, its key file and its keys in Redis. What a caller and the backend saw
 * of each request was written down by 0.1 itself. And what is written into Redis here can be read by 0.1.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import t, { type Test } from 'tap';
import { runKeys } from '../../src/commands/keys.ts';
import { loadConfig } from '../../src/config/load.ts';
import { loadKeyFile } from '../../src/keys/key-file.ts';
import { capturedIo } from '../support/command-io.ts';
import { startRedis } from '../support/redis.ts';
import { play, RELEASE_FOLDER, type Asked, type Seen } from '../support/release.ts';

const read = (file: string): unknown => JSON.parse(readFileSync(`${RELEASE_FOLDER}/${file}`, 'utf8'));
const requests = read('requests.json') as readonly (Asked & { readonly seen: Seen })[];
const env = {
  BACKEND: 'http://127.0.0.1:9',
  POSTERN_ADMIN_TOKEN: 'token-of-the-admin-port',
  TOKEN_SECRET: 's'.repeat(32),
};

/** Since 0.2 keys with `allowBrowsers` count among those that pages may use: their answers can be read there, and preflights pass. */
const READABLE = {
  'access-control-expose-headers': 'Postern-Removed-Events, X-Request-Id, Retry-After',
  vary: 'Origin',
};
const PREFLIGHT = { 'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE' };
const CHANGED = new Map<string, Readonly<Record<string, string>>>([
  ['a preflight', PREFLIGHT],
  ['a preflight of another site', PREFLIGHT],
  ['a key for pages from its page', { ...READABLE, 'access-control-allow-origin': 'https://example.com' }],
  ['a key for pages from another page', { ...READABLE, 'access-control-allow-origin': 'https://evil.example' }],
]);

function compare(t: Test, now: readonly Seen[]): void {
  for (const [index, { name, seen }] of requests.entries())
    t.same(now[index], { ...seen, headers: { ...seen.headers, ...CHANGED.get(name) } }, name);
}

t.test('the files of 0.1 are accepted, and are what 0.1 called valid', async (t) => {
  t.same(
    loadConfig(`${RELEASE_FOLDER}/postern.yaml`, env).problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  t.same(
    loadKeyFile(`${RELEASE_FOLDER}/keys.yaml`, env).problems.filter(({ severity }) => severity === 'error'),
    [],
  );
});

t.test('each request has the same end as with 0.1', async (t) => compare(t, await play(t, requests)));

t.test('so it has with the keys that 0.1 wrote into Redis', async (t) => {
  const redis = await startRedis(t);
  const keys = Object.entries(read('redis-keys.json') as Record<string, unknown>);
  await redis.admin.hset('postern:keys', Object.fromEntries(keys.map(([id, key]) => [id, JSON.stringify(key)])));
  await redis.admin.set('postern:keys:version', '1');
  const changed = (config: string): string =>
    config.replace('source: file', 'source: redis').replace('${REDIS:-redis://127.0.0.1:6379}', redis.url);
  compare(t, await play(t, requests, { changed }));
});

t.test('a replica of 0.1 reads every key that is written here and uses nothing new', async (t) => {
  const redis = await startRedis(t);
  const { io, out } = capturedIo({ env: { ...env, REDIS: redis.url } });
  t.equal(
    await runKeys({ action: 'push', config: `${RELEASE_FOLDER}/postern.yaml`, prune: false, dryRun: false }, io),
    0,
    out.join('\n'),
  );
  const written = await redis.admin.hgetall('postern:keys');
  const keys = Object.entries(written).map(([id, text]) => ({ id, ...(JSON.parse(text) as object) }));
  t.equal(keys.length, loadKeyFile(`${RELEASE_FOLDER}/keys.yaml`, env).definitions?.length);
  // The package types only its main file.
  const { Ajv2020 } = createRequire(import.meta.url)('ajv/dist/2020.js') as {
    Ajv2020: new (options: object) => {
      compile: (schema: object) => ((data: unknown) => boolean) & { errors?: unknown };
    };
  };
  const valid = new Ajv2020({ strict: false, formats: { 'date-time': true } }).compile(
    read('keys.schema.json') as object,
  );
  t.ok(valid({ keys }), JSON.stringify(valid.errors));
});
