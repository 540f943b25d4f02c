import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadKeyFile } from '../../src/keys/key-file.ts';
import { NO_RECORDS } from '../../src/keys/definition.ts';
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
    /holds 0\.0\.0\.0\/0 without ::\/0/,
  ]);
  t.match(warningsOf(t, writeOnly(`${QUIET.secrets}    allowFrom: ["::/0"]\n`)), [/holds ::\/0 without 0\.0\.0\.0\/0/]);
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
  t.match(warningsOf(t, writeOnly('    secret: ${S}\n'), { S: 'x'.repeat(19) }), [/shorter than 20 characters/]);
  const made = makeSecret('write-only', (bytes) => new Uint8Array(bytes));
  t.same(warningsOf(t, writeOnly('    secret: ${S}\n'), { S: made }), []);
  t.match(warningsOf(t, writeOnly('    secret: ${S}\n'), { S: made.replace('00', '01') }), [/typing error/]);
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
