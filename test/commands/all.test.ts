/** What is written on the command line reaches the command: each option, each argument, each default. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { main } from '../../src/main.ts';
import { capturedIo } from '../support/command-io.ts';
import { matchesGolden } from '../support/golden.ts';
import { startRedis } from '../support/redis.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';

async function postern(line: string, given: Parameters<typeof capturedIo>[0] = {}) {
  const { io, out, err } = capturedIo(given);
  const args = line.split(' ').filter((word) => word !== '');
  return { code: await main(args, io), out: out.join('\n'), err: err.join('\n') };
}

const SECRET = 'secret-of-the-server-key';
const KEYS = `keys:
  - { id: server, type: read-write, secret: ${SECRET}, allowFrom: [203.0.113.7] }
  - { id: events, type: write-only, secret: secret-of-the-events-key, allowedEvents: [login], allowedOrigins: ["https://a.example"] }
  - { id: watched, type: read-only, secret: secret-of-the-watched-key, allowFrom: [], mode: report }
`;

function project(t: Test, more = ''): string {
  const api = 'apis: { integration: { upstream: "http://127.0.0.1:9", hosts: [api.test] } }\n';
  return join(t.testdir({ 'postern.yaml': `${api}${more}`, 'keys.yaml': KEYS }), 'postern.yaml');
}

t.test('init', async (t) => {
  const place = t.testdir();
  const read = (file: string): string => readFileSync(join(place, file), 'utf8');
  t.equal((await postern(`init ${place}/a`)).code, 0);
  t.equal((await postern(`init --preset segment --upstream https://b.example:8443 ${place}/b`)).code, 0);
  t.equal((await postern(`init --preset userflux ${place}/u`)).code, 0);
  const texts = ['a/postern.yaml', 'a/keys.yaml', 'b/postern.yaml', 'b/keys.yaml', 'u/keys.yaml'].map(
    (file) => `## ${file}\n${read(file).replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:HASH')}`,
  );
  matchesGolden(t, 'init.txt', texts.join('\n'));
  const again = await postern(`init ${place}/a`);
  t.match(again, { code: 1, out: '', err: /is there already/ });
  const told = (await postern(`init ${place}/c`)).out
    .replaceAll(place, 'DIR')
    .replaceAll(/pstn_(\w\w)_\w+/g, 'pstn_$1');
  matchesGolden(t, 'init-told.txt', `${told}\n`);
});

t.test('explain', async (t) => {
  const config = project(t);
  const asked = [
    `--key ${SECRET} --ip 203.0.113.7 --method GET --path /profile/u1`,
    '--key-id server --ip 203.0.113.8 --method GET --path /profile/u1',
    '--key-id server --ip 203.0.113.7 --method GET --path /profile/u1 --host other.test',
    '--key-id server --ip 203.0.113.7 --method GET --path /profile/u1 --host API.test:80 --origin https://a.example',
    '--key-id watched --ip 203.0.113.7 --method GET --path /profile/u1',
    '--key-id events --ip 203.0.113.7 --method POST --path /event/ingest/batch --event login --event other --event more',
    '--key-id events --ip 203.0.113.7 --method POST --path /event/ingest/batch --event other --origin https://a.example',
    '--ip 203.0.113.7 --method GET --path /profile/u1',
  ];
  const texts: string[] = [];
  for (const question of asked) {
    const { code, out, err } = await postern(`explain --config ${config} ${question}`);
    t.equal(err, '');
    texts.push(`$ postern explain ${question.replace(SECRET, 'SECRET')}\n${out}\n(exit code ${code})\n`);
  }
  matchesGolden(t, 'explain.txt', texts.join('\n'));
  const json = await postern(`explain --json --config ${config} ${asked[1]}`);
  matchesGolden(t, 'explain.json', `${json.out}\n`);
  for (const [left, name] of [
    ['--ip 203.0.113.7 --method GET', '--path P'],
    ['--ip 203.0.113.7 --path /', '--method M'],
    ['--method GET --path /', '--ip IP'],
  ])
    t.same(await postern(`explain ${left}`), {
      code: 2,
      out: '',
      err: `\`explain\` needs ${name}. See postern explain --help.`,
    });
  const typed = await postern(`explain --config ${config} --key - --ip 203.0.113.7 --method GET --path /profile/u1`, {
    stdin: `${SECRET}\r\n`,
  });
  t.equal(typed.code, 0);
});

t.test('check', async (t) => {
  const config = project(t);
  const lenient = await postern(`check --config ${config}`);
  t.match(lenient, { code: 0, out: /warning/ });
  t.equal((await postern(`check --strict --config ${config}`)).code, 1);
  const json = await postern(`check --json --config ${config}`);
  matchesGolden(t, 'check.json', `${json.out.replaceAll(dirname(config), 'DIR')}\n`);
  t.equal((await postern('check', { env: { POSTERN_CONFIG: config } })).out, lenient.out);
  t.match((await postern('check', { env: { POSTERN_CONFIG: '' } })).err, /^config\/postern\.yaml: /);
});

t.test('keygen, hash, routes and completion', async (t) => {
  t.match(await postern('keygen'), { code: 0, out: /^secret: pstn_wo_\w+\nhash: sha256:/ });
  t.match(await postern('keygen --type metrics'), { code: 0, out: /^secret: pstn_mt_/ });
  t.match(await postern('hash', { stdin: 'hunter2' }), { code: 0, out: /^sha256:f52fbd32/ });
  const file = join(t.testdir({ 'a.yaml': 'openapi: 3.1.0\npaths: { /a: { get: {} } }\n' }), 'a.yaml');
  t.same(await postern(`routes ${file}`), { code: 0, out: 'routes:\n  - { method: GET, path: /a }', err: '' });
  t.match(await postern('completion fish'), { code: 0, out: /^complete -c postern / });
  for (const [line, needed] of [
    ['routes', 'FILE'],
    ['completion', 'bash, zsh, fish'],
  ])
    t.equal((await postern(line ?? '')).err, `\`${line}\` needs ${needed}. See postern ${line} --help.`);
});

t.test('keys', async (t) => {
  const server = await startRedis(t);
  const config = project(t, `redis: { url: "${server.url}" }\nkeys: { source: redis, file: keys.yaml }\n`);
  await changeKeys(server.admin, { set: { other: definitionOf('other') } });
  const lines = async (line: string) => {
    const { code, out } = await postern(`${line} --config ${config}`);
    t.equal(code, 0, line);
    return out.split('\n');
  };
  const added = ['+ events', '+ server', '+ watched'];
  t.same(await lines('keys push --dry-run'), [
    ...added,
    'Nothing was changed. Without --dry-run: 3 written, 0 removed, 0 unchanged, 1 that the file does not hold.',
  ]);
  t.same(await lines('keys push --dry-run --prune'), [
    '+ events',
    '- other',
    '+ server',
    '+ watched',
    'Nothing was changed. Without --dry-run: 3 written, 1 removed, 0 unchanged.',
  ]);
  t.same(await lines('keys push'), [
    ...added,
    'Done: 3 written, 0 removed, 0 unchanged, 1 that the file does not hold.',
  ]);
  t.match(await lines('keys list'), [/^ID/, /^events /, /^other /, /^server /, /^watched /]);
  t.same(await lines('keys push --prune'), ['- other', 'Done: 0 written, 1 removed, 3 unchanged.']);
  t.same(
    (await lines('keys pull')).filter((line) => line.startsWith('  - id')),
    ['  - id: events', '  - id: server', '  - id: watched'],
  );
});

t.test('suggest and cache purge ask the admin port that is named', async (t) => {
  const asked: string[] = [];
  const server = http.createServer((req, res) => {
    asked.push(`${req.method} ${req.url} ${req.headers.authorization}`);
    if (req.url === '/api/cache/purge') return void res.writeHead(204).end();
    const routes = [{ method: 'GET', path: '/a', listed: false, good: 1, lastSeen: '2026-01-01T00:00:00.000Z' }];
    const truncated = { routes: 0 };
    res.end(JSON.stringify({ routes, truncated, fields: {}, because: {}, notSuggested: {}, tooLittle: null }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const admin = `--admin http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { POSTERN_ADMIN_TOKEN: 'the-token' };
  t.same(await postern(`suggest --key web ${admin}`, { env }), { code: 0, out: 'keys:\n  - id: web', err: '' });
  t.match(await postern(`suggest --json --api shop ${admin}`, { env }), { code: 0, out: /^\{"routes":\[\{/ });
  t.equal((await postern(`cache purge ${admin}`, { env })).code, 0);
  t.same(asked, [
    'GET /api/keys/web/suggestion Bearer the-token',
    'GET /api/apis/shop/observed?callers=all Bearer the-token',
    'POST /api/cache/purge Bearer the-token',
  ]);
  t.match(await postern(`suggest --config ${project(t)}`), { code: 1, err: /there is no admin\.token/ });
  t.match(await postern(`cache purge --config ${project(t)}`), { code: 1, err: /there is no admin\.token/ });
});
