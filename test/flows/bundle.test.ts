/**
 * The bundle that is shipped: what it loads late, and what it starts threads from, is in it. All other tests run the compiled sources,
 * and would not see that a file is missing.
 */
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage } from 'node:http';
import module from 'node:module';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { stringify } from 'yaml';
import { CONFIG_JSON_SCHEMA } from '../../src/config/config-json-schema.ts';
import { ADMIN_TOKEN } from '../support/admin-client.ts';
import { startBackend } from '../support/backend.ts';
import { startCollector } from '../support/collector.ts';
import { eventually } from '../support/eventually.ts';
import { codeOf, written } from '../support/flow.ts';
import { portsOf, spawnPostern } from '../support/process.ts';
import { sendRaw } from '../support/raw-http.ts';
import { startRedis } from '../support/redis.ts';
import { writeSharedKeys } from '../support/redis-postern.ts';

/** Below the package, since it reads its version there, and finds the one package that is not in it. */
const FOLDER = `.build/bundle-${process.pid}`;
const ENTRY = join(FOLDER, 'main.js');
const SECRET = 'secret-of-the-partner-key';
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

t.teardown(() => rmSync(FOLDER, { recursive: true, force: true }));
execFileSync(process.execPath, ['scripts/bundle.js', FOLDER]);
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));

/** Those that do something when they are loaded: the command line, the demo, the threads. */
const ENTRIES = /^(?:main|demo\/.*|.*-thread)\.js$/;

void t.test('each file that another names is there', (t) => {
  const named = new Set<string>();
  for (const file of files) {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    for (const [, path = ''] of text.matchAll(/(?:\bfrom |\bimport\s?\(?|new URL\()"(\.[^"]*\.js)"/g))
      named.add(join(FOLDER, file, '..', path));
  }
  for (const file of named) t.ok(existsSync(file), file);
  for (const thread of ['config', 'key-file', 'key-file-session', 'list-text'])
    t.ok(named.has(join(FOLDER, `${thread}-thread.js`)), thread);
  t.end();
});

void t.test('each file can be loaded by itself', (t) => {
  const paths = files.filter((file) => !ENTRIES.test(file)).map((file) => `./${FOLDER}/${file}`);
  const program = `for (const path of ${JSON.stringify(paths)}) await import(path);`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', program]);
  t.ok(paths.length > 20);
  t.end();
});

/** The files of the bundle that were loaded, as V8 tells at the end of a process. */
function loadedIn(folder: string): string[] {
  const reports = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Report);
  const urls = reports.flatMap(({ result }) => result.map(({ url }) => url));
  return files.filter((file) => urls.some((url) => url.endsWith(`/${FOLDER}/${file}`))).toSorted();
}

interface Report {
  readonly result: readonly { readonly url: string }[];
}

void t.test('what is made ahead of a start is what a start would make', async (t) => {
  const text = readFileSync(join(FOLDER, 'reading-config.js'), 'utf8');
  const [, made = ''] = /\bCONFIG_JSON_SCHEMA = JSON\.parse\((".*")\);/.exec(text) ?? [];
  t.same(JSON.parse(String(runInNewContext(made))), CONFIG_JSON_SCHEMA);
});

void t.test('a command that must be quick loads few files', (t) => {
  for (const [command, own] of [
    ['--version', []],
    ['keygen', ['keygen.js', 'secret.js']],
    ['hash', ['hash.js']],
  ] as const) {
    const told = join(FOLDER, `loaded-by-${command}`);
    const env = { ...process.env, NODE_V8_COVERAGE: told };
    execFileSync(process.execPath, [ENTRY, command], { env, input: 'a-secret-of-some-length\n' });
    t.same(loadedIn(told), [...own, 'common.js', 'main.js'].toSorted(), command);
  }
  t.end();
});

void t.test('with a key file: tokens, streams, the admin API and its threads, spans', async (t) => {
  const collector = await startCollector(t);
  const [arrived, backend] = [new EventEmitter(), createServer()];
  const arriving = once(arrived, '/orders/upload');
  backend.on('request', (req, res) => {
    arrived.emit(req.url ?? '');
    req.resume().on('end', () => res.writeHead(204).end());
  });
  await once(backend.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => backend.close().closeAllConnections());
  const upstream = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url;
  const token = { path: '/orders/auth/token', secret: 'one-signing-secret-of-more-than-32-bytes' };
  const filler = Array.from({ length: 600 }, (_, n) => ({ id: `k${n}`, type: 'read-only', secret: `${SECRET}-${n}` }));
  const partner = { id: 'partner', type: 'read-write', secret: SECRET, allowFrom: [{ list: 'office' }] };
  const office = resolve(FOLDER, 'office.txt');
  // So long that a thread reads it.
  writeFileSync(
    office,
    Array.from({ length: 4000 }, (_, n) => `10.${n >> 8}.${n & 255}.0/24\n`).join('') + '127.0.0.1\n',
  );
  const postern = spawnPostern(t, {
    entry: ENTRY,
    config: {
      admin: { port: 0, token: ADMIN_TOKEN },
      apis: { orders: { upstream, paths: ['/orders'], token } },
    },
    keys: stringify({ addressLists: { office: { file: office } }, keys: [partner, ...filler] }),
  });
  const ports = await portsOf(postern);
  delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const url = `http://127.0.0.1:${ports.data}/orders`;
  const got = await fetch(`${url}/auth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`partner:${SECRET}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: access } = (await got.json()) as { access_token: string };
  t.equal((await fetch(`${url}/1`, { headers: bearer(access) })).status, 204);

  const upload = request(`${url}/upload`, { method: 'POST', headers: bearer(SECRET), agent: false });
  upload.write('x'.repeat(100_000));
  await arriving;
  upload.end('x');
  const [answer] = (await once(upload, 'response')) as [IncomingMessage];
  answer.resume();
  t.equal(answer.statusCode, 204, 'a body that was still arriving when its request was admitted');

  const admin = async (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`http://127.0.0.1:${ports.admin}${path}`, {
      method,
      headers: { ...bearer(ADMIN_TOKEN), ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  t.equal((await admin('GET', '/openapi.json')).status, 200);
  const created = await admin('POST', '/api/keys', { id: 'new', type: 'read-write' });
  const { secret } = (await created.json()) as { secret: string };
  t.equal((await fetch(`${url}/3`, { headers: bearer(secret) })).status, 204, 'written and read in a thread');

  writeFileSync(postern.configFile, `# openapi\n${readFileSync(postern.configFile, 'utf8')}`);
  await postern.line(({ msg }) => msg === 'config_reloaded');
  await collector.span(({ attributes }) => attributes['url.path'] === '/orders/1');
  postern.child.kill('SIGINT');
  t.equal(await postern.exit, 0, postern.stderr());
});

void t.test('a folder of compiled code that is stale, damaged or read-only costs time alone', async (t) => {
  const cache = join(FOLDER, 'compile-cache');
  const serve = async (): Promise<void> => {
    const postern = spawnPostern(t, {
      entry: ENTRY,
      config: { apis: { a: { upstream: 'http://127.0.0.1:9' } } },
      keys: [],
    });
    const { admin } = await portsOf(postern);
    t.equal((await fetch(`http://127.0.0.1:${admin}/readyz`)).status, 200);
    postern.child.kill('SIGINT');
    t.equal(await postern.exit, 0, postern.stderr());
    t.equal(postern.stderr(), '');
  };
  mkdirSync(cache, { mode: 0o755 });
  await serve();
  const made = readdirSync(cache, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  t.equal(made.length > 0, 'enableCompileCache' in module, 'Node 20 has none');
  for (const { parentPath, name } of made) {
    const file = join(parentPath, name);
    const bytes = readFileSync(file);
    writeFileSync(file, name.charCodeAt(0) % 2 === 0 ? bytes.subarray(0, bytes.length / 2) : bytes.fill(7, 20));
    chmodSync(file, 0o400);
  }
  chmodSync(cache, 0o555);
  await serve();
  chmodSync(cache, 0o755);
  rmSync(cache, { recursive: true });
});

void t.test('with Redis, and nothing else: what is not asked for is not loaded', async (t) => {
  const [backend, redis] = [await startBackend(t), await startRedis(t)];
  await writeSharedKeys(redis);
  const told = join(FOLDER, 'loaded-by-serve');
  const { NODE_V8_COVERAGE: coverage } = process.env;
  process.env['NODE_V8_COVERAGE'] = told;
  const postern = spawnPostern(t, {
    entry: ENTRY,
    config: {
      apis: { orders: { upstream: backend.url, paths: ['/orders'] } },
      keys: { source: 'redis' },
      redis: { url: redis.url },
      rateLimit: { store: 'redis' },
      observe: { store: 'redis' },
    },
    keys: [],
  });
  delete process.env['NODE_V8_COVERAGE'];
  if (coverage !== undefined) process.env['NODE_V8_COVERAGE'] = coverage;
  const { data, admin } = await portsOf(postern);
  const ready = async () => (await fetch(`http://127.0.0.1:${admin}/readyz`)).status === 200;
  await eventually(ready, 'the keys');
  const url = `http://127.0.0.1:${data}/orders/1`;
  t.equal((await fetch(url, { headers: bearer('secret-of-server') })).status, 204);
  t.equal((await fetch(url)).status, 401);
  // A check that does nothing but throw is the first that a bundler leaves out.
  for (const path of ['/orders/%', '/orders/%zz', '/orders/%c3', '/orders/%c0%af', '/orders/a%2fb', '/orders/./b'])
    t.equal(codeOf(await sendRaw(data, written({ method: 'GET', target: path }))), 'ambiguous_path', path);
  t.equal((await fetch(`http://127.0.0.1:${admin}/metrics`)).status, 200);
  t.equal((await fetch(`http://127.0.0.1:${admin}/api/keys`)).status, 404);
  postern.child.kill('SIGINT');
  t.equal(await postern.exit, 0, postern.stderr());
  t.same(loadedIn(told), [
    'common.js',
    'main.js',
    'reading-config.js',
    'reading-keys.js',
    'rolldown-runtime.js',
    'serve.js',
    'serving.js',
  ]);
});
