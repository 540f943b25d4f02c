import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { isEverything } from '../../src/config/warnings.ts';

const API = 'apis: { integration: { upstream: http://127.0.0.1:9000 } }\n';

function warningsOf(t: Test, text: string, env = {}): string[] {
  const directory = t.testdir({ 'p.yaml': text, secret: 'abcdefghijklmnopqrstuvwxyz' });
  const { config, problems } = loadConfig(join(directory, 'p.yaml'), env);
  t.ok(config, 'usable');
  t.ok(problems.every(({ severity }) => severity === 'warning'));
  return problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

t.test('nothing to say of a plain configuration', async (t) => t.same(warningsOf(t, API), []));

t.test('an admin port that is open beyond loopback without a token', async (t) => {
  t.match(warningsOf(t, `${API}admin:\n  host: 0.0.0.0\n`), [
    /^3:9 admin.host opens the admin port beyond this machine/,
  ]);
  t.match(warningsOf(t, `${API}admin:\n  host: 192.0.2.1\n`), [/^3:9 /]);
  for (const host of ['127.0.0.1', '127.8.8.8', '"::1"', 'localhost', 'LocalHost'])
    t.same(warningsOf(t, `${API}admin: { host: ${host} }\n`), []);
  t.same(warningsOf(t, `${API}admin:\n  host: 0.0.0.0\n  token: \${T}\n`, { T: 'x'.repeat(20) }), []);
});

t.test('tokens of admins: what can be guessed, stands in the file, or looks like a hash', async (t) => {
  const hash = `sha256:${'0'.repeat(64)}`;
  const tokens = (token: string, env = {}) =>
    warningsOf(t, `${API}admin:\n  host: 0.0.0.0\n  tokens: [{ id: anna, role: viewer, ${token} }]\n`, env);
  t.same(tokens(`hash: ${hash}`), [], 'a hash may stand in the file, and a token closes the port');
  t.same(tokens('value: "${T}"', { T: 'x'.repeat(20) }), []);
  t.match(tokens('value: "${T}"', { T: 'x'.repeat(19) }), [/^4:45 admin\.tokens\[0\]\.value is shorter than 20/]);
  t.match(tokens('value: abcdefghijklmnopqrstuvwxyz'), [/^4:45 .* is a secret in plain text/]);
  t.match(warningsOf(t, `${API}admin:\n  token: \${T}\n`, { T: hash }), [
    /^3:10 admin\.token is the token itself, although it looks like a hash; a hash belongs in `admin\.tokens`/,
  ]);
});

t.test('a trusted proxy range that holds everyone', async (t) => {
  const text = `${API}listen:\n  trustedProxies: [10.0.0.0/8, 0.0.0.0/0, "::/0"]\n`;
  t.match(warningsOf(t, text), [
    /^3:32 listen.trustedProxies\[1\] trusts everyone/,
    /^3:43 listen.trustedProxies\[2\]/,
  ]);
  t.match(warningsOf(t, `${API}listen:\n  trustedProxies: [unix]\n`), [/^3:20 .* names nobody: without `listen.path`/]);
  t.same(warningsOf(t, `${API}listen:\n  trustedProxies: [unix]\n  path: /run/a.sock\n`), []);
});

t.test('a secret in plain text', async (t) => {
  const plain = /is a secret in plain text/;
  const admin = (token: string, env = {}) => warningsOf(t, `${API}admin:\n  token: ${token}\n`, env);
  t.match(admin('abcdefghijklmnopqrstuvwxyz'), [plain]);
  t.same(admin('${T}', { T: 'abcdefghijklmnopqrstuvwxyz' }), []);
  t.same(admin('${file:secret}'), []);
  t.match(admin('${T:-abcdefghijklmnopqrstuvwxyz}'), [plain], 'a default stands in the file');
  const api = (authorization: string) =>
    warningsOf(t, `apis:\n  integration:\n    upstream: http://a\n    authorization: ${authorization}\n`, { K: 'k' });
  t.match(api('Bearer abc'), [/^4:20 apis.integration.authorization is a secret in plain text/]);
  t.same(api('Bearer ${K}'), []);
  t.same(api('pass'), []);
  const token =
    'apis:\n  metrics:\n    upstream: http://a\n    token: { secret: [0123456789abcdef0123456789abcdef] }\n';
  t.match(warningsOf(t, token), [/^4:23 apis.metrics.token.secret\[0\] is a secret in plain text/]);
});

t.test('a password in a URL', async (t) => {
  t.match(warningsOf(t, `${API}redis: { url: "redis://u:pw@a" }\n`), [
    /^2:15 redis.url holds a password in plain text/,
  ]);
  t.match(warningsOf(t, `${API}redis: { url: "redis://:pw@a" }\n`), [/redis\.url holds a password/]);
  t.same(warningsOf(t, `${API}redis: { url: "redis://u:@a" }\n`), [], 'an empty one is none');
  t.same(warningsOf(t, `${API}redis: { url: "redis://u@a" }\n`), []);
  const named = (username: string) => warningsOf(t, `${API}redis: { username: "${username}" }\n`);
  t.match(named('a://u:pw@h'), [/^2:20 redis\.username holds a password/]);
  for (const username of ['a://u@h//b:c', 'a:b@c', 'u:pw', 'a//u@b:c']) t.same(named(username), [], username);
  t.same(warningsOf(t, `${API}redis:\n  url: \${U}\n`, { U: 'redis://u:pw@a' }), []);
});

t.test('a secret that is null is none', async (t) => {
  t.same(warningsOf(t, `${API}admin: { token: null, tls: }\nredis: { password: ~ }\n`), []);
});

t.test('a short token', async (t) =>
  t.match(warningsOf(t, `${API}admin:\n  token: \${T}\n`, { T: 'x'.repeat(19) }), [
    /^3:10 admin\.token is shorter than 20/,
  ]),
);

t.test('white space at the end of a secret that counts as part of it', async (t) => {
  const lines = [
    'apis: { metrics: { upstream: http://127.0.0.1:9001, token: { secret: "${T}" } } }',
    'redis:',
    '  username: "${U}"',
    '  password: "${P}"',
  ];
  const found = (T: string, U: string, P: string): string[] => warningsOf(t, `${lines.join('\n')}\n`, { T, U, P });
  const long = 'abcdefghijklmnopqrstuvwxyz0123456789';
  t.same(found(long, 'u', 'p'), []);
  for (const end of ['\n', '\r', '\r\n', '\n\n'])
    t.match(found(long + end, 'u', `hunter2${end}`), [
      /^1:70 apis\.metrics\.token\.secret ends with a line break, which counts/,
      /^4:13 redis\.password ends with a line break, which counts/,
    ]);
  t.match(found(` ${long}`, 'u\t', 'p '), [
    /^1:70 apis\.metrics\.token\.secret begins or ends with white space/,
    /^3:13 redis\.username begins or ends with white space/,
    /^4:13 redis\.password begins or ends with white space/,
  ]);
  t.notMatch(found(`${long}\n`, 'u\n', 'hunter2\n').join(''), /hunter2|abcdef/, 'and nothing of it is shown');
  const list = `${lines[0]?.replace('"${T}"', '["${T}", "${P}"]')}\n`;
  t.match(warningsOf(t, list, { T: long, P: `${long}\n` }), [/^1:79 apis\.metrics\.token\.secret\[1\] ends with/]);
  t.same(warningsOf(t, `${lines[0]?.replace('${T}', '${file:secret}${T}')}\n`, { T: long }), [], 'a file loses one');
});

t.test('a range of everything is one whose network is empty', async (t) => {
  for (const range of ['0.0.0.0/0', '::/0']) t.equal(isEverything(range), true, range);
  for (const range of ['0.0.0.0', '0.0.0.0/1', '::', '::/1', 'everything', ''])
    t.equal(isEverything(range), false, range);
});
