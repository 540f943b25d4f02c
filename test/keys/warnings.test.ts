import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadKeyFile } from '../../src/keys/key-file.ts';
import { NO_RECORDS, type WholeDefinition } from '../../src/keys/definition.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import { makeSecret } from '../../src/keys/secret.ts';
import { definitionWarnings, keyWarnings } from '../../src/keys/warnings.ts';
import { wholeDefinition } from '../../src/keys/whole-definition.ts';

const NOW = Date.UTC(2027, 0, 1);
const HASH = `hash: sha256:${'0'.repeat(64)}`;
const QUIET = { origins: '    allowedOrigins: []\n', secrets: `    secrets: [{ ${HASH} }]\n` };

function warningsOf(t: Test, key: string, env = {}): string[] {
  const directory = t.testdir({ 'keys.yaml': `keys:\n  - id: a\n${key}` });
  const loaded = loadKeyFile(join(directory, 'keys.yaml'), env);
  t.same(loaded.problems, [], 'usable');
  const warnings = keyWarnings(loaded, NOW);
  t.ok(warnings.every(({ severity }) => severity === 'warning'));
  return warnings.map(({ line, column, message }) => `${line}:${column} ${message}`);
}
const writeOnly = (rest: string): string => `    type: write-only\n${QUIET.origins}${rest}`;
const readWrite = (rest: string): string => `    type: read-write\n${QUIET.secrets}${rest}`;

t.test('nothing to say of a careful key', async (t) => {
  t.same(warningsOf(t, writeOnly(QUIET.secrets)), []);
  t.same(warningsOf(t, readWrite('    allowFrom: [192.0.2.0/24]\n')), []);
});

t.test('a write-only key that says it is not for browsers', async (t) => {
  const off = '    allowBrowsers: false\n';
  t.match(warningsOf(t, writeOnly(QUIET.secrets + off)), [
    /^6:20 keys\[0\]\.allowBrowsers changes nothing: pages may use/,
  ]);
  t.same(warningsOf(t, readWrite(`    allowFrom: [192.0.2.0/24]\n${off}`)), []);
});

t.test('read-write and metrics keys usable from anywhere', async (t) => {
  const anywhere = /allowFrom lets this (?:read-write|metrics) key be used from anywhere/;
  t.match(warningsOf(t, readWrite('')), [anywhere]);
  t.match(warningsOf(t, readWrite('    allowFrom: anywhere\n')), [/^5:16 .*from anywhere/]);
  t.match(warningsOf(t, readWrite('    allowFrom: [0.0.0.0/0, "::/0"]\n')), [anywhere]);
  t.match(warningsOf(t, `    type: metrics\n    apiKey: sha256:${'1'.repeat(64)}\n${QUIET.secrets}`), [anywhere]);
});

t.test('a write-only key with all events and any origin', async (t) => {
  const open = /^2:5 keys\[0\] lets any web page send any event/;
  t.match(warningsOf(t, `    type: write-only\n${QUIET.secrets}`), [open]);
  t.same(warningsOf(t, `    type: write-only\n${QUIET.secrets}    allowedEvents: [a]\n`), []);
  t.same(warningsOf(t, `    type: write-only\n${QUIET.secrets}    allowedOrigins: ["https://a"]\n`), []);
});

t.test('one address family without the other', async (t) => {
  t.match(warningsOf(t, writeOnly(`${QUIET.secrets}    allowFrom: [0.0.0.0/0]\n`)), [
    /holds 0\.0\.0\.0\/0 without ::\/0: only/,
  ]);
  t.match(warningsOf(t, writeOnly(`${QUIET.secrets}    allowFrom: ["::/0"]\n`)), [
    /holds ::\/0 without 0\.0\.0\.0\/0: only/,
  ]);
  t.same(warningsOf(t, writeOnly(`${QUIET.secrets}    allowFrom: ["::/0", 0.0.0.0/0]\n`)), []);
});

t.test('an address list of everything is as good as everything', async (t) => {
  const listed = (entries: string) =>
    warningsOf(
      t,
      readWrite(
        `    allowFrom: [{ list: all }, 192.0.2.1]\naddressLists:\n  all: [${entries}]\n  far: { file: far.txt }\n`,
      ),
    ).filter((message) => !message.includes('used by nothing'));
  t.match(listed('0.0.0.0/0, "::/0"'), [/^5:16 keys\[0\]\.allowFrom lets this read-write key be used from anywhere/]);
  t.match(listed('{ address: 0.0.0.0/0 }'), [/from anywhere/, /^5:16 .*holds 0\.0\.0\.0\/0 without ::\/0/]);
  t.same(listed('192.0.2.0/24'), []);
});

t.test('plain, short and mistyped secrets', async (t) => {
  const long = 'x'.repeat(20);
  t.match(warningsOf(t, writeOnly(`    secret: ${long}\n`)), [/^5:13 keys\[0\]\.secret is a secret in plain text/]);
  t.match(warningsOf(t, writeOnly(`    secrets: [{ value: ${long} }]\n`)), [
    /^5:24 keys\[0\]\.secrets\[0\]\.value is a secret/,
  ]);
  t.same(warningsOf(t, writeOnly('    secret: ${S}\n'), { S: long }), []);
  t.match(warningsOf(t, writeOnly('    secret: ${S}\n'), { S: 'x'.repeat(19) }), [
    /^5:13 keys\[0\]\.secret is shorter than 20 characters/,
  ]);
  t.match(warningsOf(t, writeOnly('    secrets: [{ value: "${S}" }]\n'), { S: 'x'.repeat(19) }), [
    /^5:24 keys\[0\]\.secrets\[0\]\.value is shorter than 20 characters/,
  ]);
  const made = makeSecret('write-only', (bytes) => new Uint8Array(bytes));
  t.same(warningsOf(t, writeOnly('    secret: ${S}\n'), { S: made }), []);
  t.match(warningsOf(t, writeOnly('    secret: ${S}\n'), { S: made.replace('00', '01') }), [
    /^5:13 keys\[0\]\.secret looks like .* typing error/,
  ]);
  const metrics = (apiKey: string) => `    type: metrics\n    apiKey: ${apiKey}\n    allowFrom: []\n${QUIET.secrets}`;
  t.match(warningsOf(t, metrics('abc')), [/^4:13 keys\[0\]\.apiKey is a secret in plain text/]);
  t.same(warningsOf(t, metrics('${K}'), { K: 'abc' }), []);
});

t.test('a key that is about to expire', async (t) => {
  const ends = (expiresAt: string) => warningsOf(t, writeOnly(`${QUIET.secrets}    expiresAt: ${expiresAt}\n`));
  t.match(ends('2027-01-31T00:00:00Z'), [/^6:16 keys\[0\]\.expiresAt ends this key on 2027-01-31.*within 30 days/]);
  t.same(ends('2027-01-31T00:00:01Z'), []);
  t.match(ends('2026-12-31T00:00:00Z'), [/which has passed/]);
  const two = (first: string, last: string) =>
    warningsOf(
      t,
      writeOnly(
        `    secrets:\n      - { ${HASH}, expiresAt: ${first} }\n      - { hash: sha256:${'1'.repeat(64)}, expiresAt: ${last} }\n`,
      ),
    );
  t.same(two('2027-01-02T00:00:00Z', '2028-01-01T00:00:00Z'), [], 'another secret goes on');
  t.match(two('2027-01-02T00:00:00Z', '2027-01-03T00:00:00Z'), [/^6:7 keys\[0\]\.secrets ends this key on 2027-01-03/]);
});

t.test('none of a file with errors', async (t) => {
  const directory = t.testdir({ 'keys.yaml': 'keys:\n  - { id: A, type: read-write, secret: x }\n' });
  t.same(keyWarnings(loadKeyFile(join(directory, 'keys.yaml'), {}), NOW), []);
});

t.test('events that no API of the key would look for', async (t) => {
  const read = readDefinition({
    id: 'a',
    type: 'write-only',
    secrets: [{ hash: `sha256:${'0'.repeat(64)}` }],
    apis: ['x'],
  });
  if (!read.ok) throw new Error('unreadable');
  const whole = wholeDefinition({ ...read.value, allowedOrigins: [], allowedEvents: ['a'] }, NO_RECORDS);
  if (!whole.ok) throw new Error('not whole');
  const fields = (eventApis: readonly string[] | null) =>
    definitionWarnings(whole.value, NOW, { eventApis }).map(({ path }) => path.join('.'));
  t.same(fields(['y']), ['allowedEvents']);
  t.same(fields([]), ['allowedEvents']);
  t.same(fields(['y', 'x']), []);
  t.same(fields(null), [], 'nobody knows');
  for (const allowedEvents of ['all', []] as const)
    t.same(definitionWarnings({ ...whole.value, allowedEvents }, NOW, { eventApis: ['y'] }), []);
});

const HASHED = [{ hash: `sha256:${'0'.repeat(64)}` }];

function wholeOf(written: object): WholeDefinition {
  const read = readDefinition({ id: 'a', secrets: HASHED, ...written });
  const made = read.ok ? wholeDefinition(read.value, NO_RECORDS) : read;
  if (!made.ok) throw new Error(JSON.stringify(made.findings));
  return made.value;
}

t.test('a key that may use every route where nothing is listed', async (t) => {
  const told = (written: object, openApis: readonly string[]) =>
    definitionWarnings(wholeOf({ type: 'read-write', allowFrom: [], ...written }), NOW, { openApis }).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    );
  const lets = (where: string) => [
    `allowedRoutes lets this key use every route of ${where}, listed or not; list the routes that it needs, or set \`unlisted: refuse\` there`,
  ];
  t.same(told({}, ['orders']), lets('the API orders'));
  t.same(told({}, ['orders', 'others', 'metrics']), lets('the APIs orders, others'), 'metrics is for its own key');
  t.same(told({ apis: ['others'] }, ['orders', 'others']), lets('the API others'));
  t.same(told({}, []), []);
  t.same(told({ apis: ['others'] }, ['orders']), []);
  t.same(told({ allowedRoutes: ['GET /a'] }, ['orders']), []);
  t.same(told({ allowedEvents: ['a'] }, ['orders']), []);
  t.same(told({ type: 'read-only' }, ['orders']), []);
});

t.test('each type of key that is used from anywhere, but write-only ones', async (t) => {
  const told = (type: string, allowFrom: unknown) =>
    definitionWarnings(wholeOf({ type, allowFrom, allowedOrigins: [] }), NOW).map(({ message }) => message);
  const from = (type: string) => `lets this ${type} key be used from anywhere; list the addresses of its back ends`;
  for (const type of ['read-only', 'read-write']) {
    t.same(told(type, 'anywhere'), [from(type)]);
    t.same(told(type, ['::/0', '0.0.0.0/0']), [from(type)]);
    t.same(told(type, []), []);
  }
  t.same(told('write-only', 'anywhere'), []);
  t.same(told('write-only', ['0.0.0.0/0', '::/0']), []);
  t.same(told('read-only', [{ address: '::/0' }, '192.0.2.1']), [
    from('read-only'),
    'holds ::/0 without 0.0.0.0/0: only one of the two families is let in',
  ]);
});

t.test('when a key ends, to the millisecond', async (t) => {
  const told = (written: object, now: number) =>
    definitionWarnings(wholeOf({ type: 'write-only', allowedOrigins: [], ...written }), now).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    );
  const expiresAt = '2027-01-31T00:00:00Z';
  const at = Date.parse(expiresAt);
  const month = 30 * 86_400_000;
  const says = (field: string, when: string) => [`${field} ends this key on 2027-01-31T00:00:00.000Z, which ${when}`];
  t.same(told({ expiresAt }, at - month - 1), []);
  t.same(told({ expiresAt }, at - month), says('expiresAt', 'is within 30 days'));
  t.same(told({ expiresAt }, at - 1), says('expiresAt', 'is within 30 days'));
  t.same(told({ expiresAt }, at), says('expiresAt', 'has passed'));
  t.same(told({ secrets: [{ ...HASHED[0], expiresAt }] }, at), says('secrets', 'has passed'));
});

t.test('policies and lists that nothing uses, and secrets that stand beside the keys', async (t) => {
  const text = `keys:
  - { id: a, type: write-only, secrets: [{ ${HASH} }], allowedOrigins: [], policy: p, denyFrom: [{ list: of-a }] }
policies:
  p: { allowFrom: [{ list: of-p }] }
  q: { description: "https://user:hunter2@host" }
addressLists: { of-a: ["::1"], of-p: ["::1"], of-config: ["::1"], of-none: ["::1"] }
`;
  const loaded = loadKeyFile(join(t.testdir({ 'keys.yaml': text }), 'keys.yaml'), {});
  const told = (listsUsed: readonly string[]) =>
    keyWarnings(loaded, NOW, { openApis: [], eventApis: null, listsUsed }).map(
      ({ line, field, message }) => `${line} ${field} ${message.slice(field.length + 1)}`,
    );
  const unused = 'is used by nothing; remove it, or name it.';
  t.same(told(['of-config']), [
    '5 policies.q.description holds a password in plain text; write it as ${NAME} or ${file:PATH}.',
    `5 policies.q ${unused}`,
    `6 addressLists.of-none ${unused}`,
  ]);
  t.equal(told([]).length, 4);
});
