import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCheck } from '../../src/commands/check.ts';
import { runKeys, type KeysArguments } from '../../src/commands/keys.ts';
import { loadKeyFile } from '../../src/keys/key-file.ts';
import { NO_SIGNALS } from '../../src/signals.ts';
import { freePort } from '../support/free-port.ts';
import { startRedis } from '../support/redis.ts';
import { matchesGolden } from '../support/golden.ts';
import { changeKeys, definitionOf, digest } from '../support/redis-keys.ts';

const ENV = { WEB_SECRET: 'the-secret-of-the-web-key', METRICS_API_KEY: 'the-metrics-api-key' };
const KEYS = `keys:
  - id: web
    description: "Costs $\${5}"
    type: write-only
    secrets:
      - value: \${WEB_SECRET}
      - hash: sha256:${digest('older')}
        expiresAt: 2099-01-01T00:00:00Z
    allowFrom: [203.0.113.7, { address: "2001:db8:1::/48", description: Office }]
    allowedEvents: [login, "sign up"]
    disallowedEvents: reject
    allowedOrigins: ["https://example.com"]
    rateLimit: { requests: 10, windowSeconds: 60 }
    mode: report
  - { id: metrics, type: metrics, apiKey: "\${METRICS_API_KEY}", secret: client-secret-of-metrics, allowFrom: [], cacheTtlMinutes: 7, expiresAt: 2098-01-01T00:00:00Z }
  - { id: back-end, type: read-write, enabled: false, allowBrowsers: true, secrets: [{ hash: "sha256:${digest('back-end')}" }] }
`;

function project(t: Test, redisUrl: string, more = '') {
  const dir = t.testdir({
    'postern.yaml': `apis: { integration: { upstream: "http://127.0.0.1:9", preset: userflux } }\nredis: { url: "${redisUrl}" }\n${more}`,
    'keys.yaml': KEYS,
  });
  return { dir, config: join(dir, 'postern.yaml'), keyFile: join(dir, 'keys.yaml') };
}

async function run(args: Partial<KeysArguments> & Pick<KeysArguments, 'action' | 'config'>) {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const io = {
    stdout: (line: string) => void stdout.push(line),
    stderr: (line: string) => void stderr.push(line),
    secret: async () => '',
    env: ENV,
    version: '0',
    signals: NO_SIGNALS,
  };
  const code = await runKeys({ dryRun: false, prune: false, ...args }, io);
  return { code, stdout: stdout.join('\n'), stderr: stderr.join('\n'), io };
}

t.test('push writes hashes only, in one transaction that tells of each key', async (t) => {
  const server = await startRedis(t);
  const { config } = project(t, server.url);
  const dry = await run({ action: 'push', config, dryRun: true });
  t.equal(dry.code, 0);
  t.match(dry.stdout, /\+ back-end\n\+ metrics\n\+ web\nNothing was changed/);
  t.equal(await server.admin.exists('postern:keys', 'postern:keys:version'), 0);

  const messages: string[] = [];
  const listener = server.admin.duplicate();
  t.teardown(() => listener.disconnect());
  listener.on('message', (_channel, message) => messages.push(message));
  await listener.subscribe('postern:keys:changed');
  const pushed = await run({ action: 'push', config });
  t.match(pushed, { code: 0, stdout: /Done: 3 written, 0 removed, 0 unchanged/ });
  const stored = await server.admin.hgetall('postern:keys');
  t.same(Object.keys(stored).sort(), ['back-end', 'metrics', 'web']);
  for (const secret of [...Object.values(ENV), 'client-secret-of-metrics']) {
    t.notOk(JSON.stringify(stored).includes(secret));
    t.ok(JSON.stringify(stored).includes(digest(secret)));
  }
  t.equal(await server.admin.get('postern:keys:version'), '3');
  t.same(messages.sort(), ['back-end', 'metrics', 'web']);

  t.match(await run({ action: 'push', config }), { code: 0, stdout: /^Done: 0 written, 0 removed, 3 unchanged\.$/ });
  t.equal(await server.admin.get('postern:keys:version'), '3', 'nothing changed, nobody is told');
});

t.test('push, pull and check: nothing is lost on the way', async (t) => {
  const server = await startRedis(t);
  const { config, keyFile, dir } = project(t, server.url);
  await run({ action: 'push', config });
  const pulled = await run({ action: 'pull', config });
  t.match(pulled, { code: 0, stderr: '' });
  const copy = join(dir, 'copy');
  mkdirSync(copy);
  writeFileSync(join(copy, 'keys.yaml'), pulled.stdout);
  writeFileSync(
    join(copy, 'postern.yaml'),
    'apis: { integration: { upstream: "http://127.0.0.1:9", preset: userflux } }',
  );
  t.equal(await runCheck({ config: join(copy, 'postern.yaml'), strict: false, json: false }, pulled.io), 0);
  const before = loadKeyFile(keyFile, ENV).definitions ?? [];
  const after = loadKeyFile(join(copy, 'keys.yaml'), {}).definitions ?? [];
  t.equal(after.length, 3);
  t.same(
    after.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    before.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
});

t.test('push leaves other keys alone unless it is told to prune', async (t) => {
  const server = await startRedis(t);
  const { config } = project(t, server.url);
  await changeKeys(server.admin, { set: { other: definitionOf('other'), web: definitionOf('web') } });
  const pushed = await run({ action: 'push', config });
  t.match(pushed.stdout, /~ web \(.*secrets.*\)/);
  t.match(pushed.stdout, /1 that the file does not hold/);
  t.equal(await server.admin.hexists('postern:keys', 'other'), 1);
  const dry = await run({ action: 'push', config, prune: true, dryRun: true });
  t.match(dry.stdout, /- other/);
  t.equal(await server.admin.hexists('postern:keys', 'other'), 1);
  t.match(await run({ action: 'push', config, prune: true }), {
    code: 0,
    stdout: /- other\nDone: 0 written, 1 removed/,
  });
  t.equal(await server.admin.hexists('postern:keys', 'other'), 0);
});

t.test('push refuses keys that would disable themselves and others', async (t) => {
  const server = await startRedis(t);
  const { config } = project(t, server.url);
  await changeKeys(server.admin, {
    set: { old: definitionOf('x', { secrets: [{ hash: `sha256:${digest('older')}` }] }) },
  });
  const pushed = await run({ action: 'push', config });
  t.match(pushed, { code: 1, stderr: /web cannot be pushed .* shares a secret with old/ });
  t.equal(await server.admin.hlen('postern:keys'), 1);
  t.equal((await run({ action: 'push', config, prune: true })).code, 0);
});

t.test('a key file with a mistake is not pushed', async (t) => {
  const server = await startRedis(t);
  const { config, keyFile } = project(t, server.url);
  writeFileSync(keyFile, 'keys: [{ id: web, type: nothing }]');
  const pushed = await run({ action: 'push', config });
  t.match(pushed, { code: 1, stderr: /keys\.yaml:1:\d+ error/ });
  t.equal(await server.admin.exists('postern:keys'), 0);
});

t.test('list shows the keys of the source, without secrets', async (t) => {
  const server = await startRedis(t);
  const fromFile = project(t, server.url);
  const listed = await run({ action: 'list', config: fromFile.config });
  t.equal(listed.code, 0);
  t.match(listed.stdout, /^ID +TYPE +STATE/);
  t.match(listed.stdout, /web +write-only +active +report +2 locations +2 events +10\/60s/);
  t.match(listed.stdout, /back-end +read-write +disabled/);
  t.notMatch(listed.stdout, digest('older'));

  writeFileSync(
    fromFile.config,
    `apis: { integration: { upstream: "http://127.0.0.1:9", preset: userflux } }\nredis: { url: "${server.url}" }\nkeys: { source: redis }`,
  );
  await changeKeys(server.admin, { set: { stored: definitionOf('stored'), 'bad\u001b[2J': '{' } });
  const { code, stdout } = await run({ action: 'list', config: fromFile.config });
  t.equal(code, 0);
  t.match(stdout, /stored +read-write +active/);
  t.match(stdout, /invalid .*not JSON/);
  t.notMatch(stdout, '\u001b');
  t.notMatch(stdout, 'back-end');
});

t.test('pull leaves out what check would refuse, and says so', async (t) => {
  const server = await startRedis(t);
  const { config } = project(t, server.url);
  await changeKeys(server.admin, { set: { good: definitionOf('good'), bad: '[]' } });
  const pulled = await run({ action: 'pull', config });
  t.match(pulled, { code: 1, stdout: /id: good/, stderr: /"bad" is left out/ });
  t.notMatch(pulled.stdout, 'bad');
});

t.test('exit code 70 and one sentence when Redis cannot be reached, refuses, or wants a password', async (t) => {
  const { config } = project(t, `redis://:hidden@127.0.0.1:${await freePort()}`);
  for (const action of ['push', 'pull'] as const) {
    const { code, stderr, stdout } = await run({ action, config });
    t.equal(code, 70);
    t.match(stderr, /^Redis: cannot be reached: .*ECONNREFUSED.*$/);
    t.equal(stdout, '');
  }
  const server = await startRedis(t, { password: 'right' });
  const wrong = project(t, `redis://:hidden@127.0.0.1:${server.port}`);
  const refused = await run({ action: 'push', config: wrong.config });
  t.match(refused, { code: 70, stderr: /WRONGPASS/ });
  t.notMatch(refused.stderr, 'hidden');
  const master = await startRedis(t);
  const replica = await startRedis(t, { conf: [`replicaof 127.0.0.1 ${master.port}`] });
  const readOnly = project(t, replica.url);
  t.match(await run({ action: 'push', config: readOnly.config }), { code: 70, stderr: /^Redis: .+$/ });
});

t.test('policies and lists go to Redis and come back with the keys', async (t) => {
  const server = await startRedis(t);
  const { config, keyFile, dir } = project(t, server.url);
  const file = `keys:
  - { id: a, policy: partners, secrets: [{ hash: "sha256:${digest('a')}" }], denyFrom: [{ list: bad }] }
policies:
  partners: { type: read-only, allowFrom: [{ list: office }], rateLimit: null }
addressLists:
  bad: { url: "https://example.com/bad.txt", refreshMinutes: 5, maxEntries: 10 }
  office: [203.0.113.0/28, { address: 2001:db8::/48, description: HQ }]
`;
  writeFileSync(keyFile, file);
  const dry = await run({ action: 'push', config, dryRun: true });
  t.match(dry.stdout, /^\+ policy:partners\n\+ list:bad\n\+ list:office\n\+ a\nNothing was changed/);
  t.match(await run({ action: 'push', config }), { code: 0, stdout: /Done: 4 written, 0 removed, 0 unchanged/ });
  t.equal(await server.admin.get('postern:keys:version'), '1', 'what belongs together is told once');
  t.match(await run({ action: 'push', config }), { code: 0, stdout: /^Done: 0 written, 0 removed, 4 unchanged\.$/ });

  const pulled = await run({ action: 'pull', config });
  t.equal(pulled.code, 0);
  writeFileSync(join(dir, 'pulled.yaml'), pulled.stdout);
  const [before, after] = [loadKeyFile(keyFile, ENV), loadKeyFile(join(dir, 'pulled.yaml'), ENV)];
  t.same(after.definitions, before.definitions);
  t.same(after.records, before.records);
  t.match(
    (await run({ action: 'list', config })).stdout,
    /a +read-only +active[^]*policy {2}partners {2}type, allowFrom/,
  );

  writeFileSync(
    keyFile,
    file
      .replace('type: read-only, ', 'type: read-write, ')
      .replace(/ {2}bad: .*\n/, '')
      .replace(', denyFrom: [{ list: bad }]', ''),
  );
  t.match(await run({ action: 'push', config, prune: true }), {
    code: 0,
    stdout: /^~ policy:partners\n- list:bad\n~ a \(denyFrom\)\nDone: 2 written, 1 removed, 1 unchanged/m,
  });

  writeFileSync(keyFile, file.replace(/bad: .*/, 'bad: { file: bad.txt }'));
  t.match(await run({ action: 'push', config }), { code: 1, stderr: /address list bad is in a file/ });
});

t.test('what is pulled comes in order of names, each text in one line, and what cannot be read is said', async (t) => {
  const server = await startRedis(t);
  const { config } = project(t, server.url);
  const long = 'a description that is longer than a line of a terminal '.repeat(4).trim();
  const { type: _type, ...shared } = JSON.parse(definitionOf('a')) as Record<string, unknown>;
  await changeKeys(server.admin, {
    set: {
      web: definitionOf('web', { description: `${long} \${HOME}` }),
      app: JSON.stringify({ ...shared, policy: 'readers' }),
      lost: JSON.stringify({ ...JSON.parse(definitionOf('lost')), policy: 'torn' }),
    },
  });
  await server.admin.hset(
    'postern:policies',
    'writers',
    '{"type":"write-only"}',
    'torn',
    '{',
    'readers',
    '{"type":"read-only"}',
  );
  await server.admin.hset('postern:lists', 'office', '["192.0.2.1"]', 'scrap', '7', 'lab', '["192.0.2.2"]');
  const pulled = await run({ action: 'pull', config });
  t.equal(pulled.code, 1);
  matchesGolden(t, 'pulled.yaml', `${pulled.stdout}\n`);
  const [torn, scrap, lost, ...more] = pulled.stderr.split('\n');
  t.match(torn, /^"torn" is left out: .*JSON/);
  t.match(scrap, /^"scrap" is left out: /);
  t.match(lost, /^the key "lost" is left out: /);
  t.same(more, []);
  await changeKeys(server.admin, { remove: ['lost'] });
  t.equal((await run({ action: 'pull', config })).code, 1, 'though every key can be used');
  await server.admin.hdel('postern:policies', 'torn');
  await server.admin.hdel('postern:lists', 'scrap');
  t.match(await run({ action: 'pull', config }), { code: 0, stderr: '' });
});

t.test('push and pull need a Redis that the configuration says something of', async (t) => {
  const { config } = project(t, 'redis://127.0.0.1:1');
  const apis = 'apis: { integration: { upstream: "http://127.0.0.1:9", preset: userflux } }\n';
  for (const none of ['', 'keys: { source: file }\n']) {
    writeFileSync(config, `${apis}${none}`);
    for (const action of ['push', 'pull'] as const) {
      const { code, stdout, stderr } = await run({ action, config });
      t.equal(code, 1);
      t.equal(stdout, '');
      t.equal(stderr, `${config}: says nothing of Redis: add \`redis: { url: redis://HOST:6379 }\`, or wherever it is`);
    }
    t.equal((await run({ action: 'list', config })).code, 0);
  }
  // The default is meant where Redis is used; whether one is there is another matter.
  const cached = apis.replace('preset: userflux', 'preset: userflux, cache: { store: redis }');
  for (const use of [
    `${apis}keys: { source: redis }`,
    `${apis}rateLimit: { store: redis }`,
    `${apis}observe: { store: redis }`,
    cached,
  ]) {
    writeFileSync(config, `${use}\n`);
    t.notMatch((await run({ action: 'pull', config })).stderr, /says nothing/, use);
  }
});
