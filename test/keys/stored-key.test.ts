import fc from 'fast-check';
import t from 'tap';
import { parseAddress } from '../../src/lib/address.ts';
import { compileKeys } from '../../src/keys/compile.ts';
import { NO_RECORDS } from '../../src/keys/definition.ts';
import type { Key } from '../../src/keys/key.ts';
import { readStoredDefinition } from '../../src/keys/read-definition.ts';
import { createStoredKeyReader } from '../../src/keys/stored-key.ts';
import { digest } from '../support/redis-keys.ts';

const ADDRESSES = ['10.1.2.3', '10.1.2.4', '192.0.2.1', '2001:db8::1', '::1'].map((text) => parseAddress(text));

/** What a key does, so that keys can be compared. */
const behaviour = (key: Key): unknown => ({
  ...key,
  allowFrom: [...ADDRESSES, null].map((address) => key.allowFrom.holds(address, new Map())),
  denyFrom: [...ADDRESSES, null].map((address) => key.denyFrom.holds(address, new Map())),
  policyFields: [...key.policyFields],
  apis: key.apis && [...key.apis],
  allowedRoutes: key.allowedRoutes === null,
  allowedEvents: key.allowedEvents && [...key.allowedEvents],
  allowedOrigins: key.allowedOrigins && [...key.allowedOrigins],
});

const hash = fc.constantFrom('a', 'b', 'c').map((secret) => `sha256:${digest(secret)}`);
const secret = fc.oneof(
  { weight: 4, arbitrary: fc.record({ hash }) },
  fc.record({ value: fc.constantFrom('plain', '') }),
  fc.record({ hash, expiresAt: fc.constantFrom('2027-01-01T00:00:00Z', 'soon', null) }),
  fc.record({ hash: fc.constantFrom('sha256:AB', 1, null) }),
  fc.constantFrom(null, 'text'),
);
const address = fc.constantFrom<unknown>(
  '10.1.2.3',
  '10.1.2.0/24',
  '2001:db8::/32',
  '::1',
  '192.0.2.0/24',
  '10.1.2.3/24',
  '010.1.2.3',
  { address: '10.1.2.4', description: 'Office' },
  7,
);
/** Mostly right, so that a whole definition often is. */
const mostly = (right: readonly unknown[], wrong: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...right) }, fc.constantFrom(...wrong));
const definition = fc.record(
  {
    id: mostly(['key'], ['other', 1]),
    description: mostly(['text', '', 'other text'], ['text\n', null, 5]),
    type: mostly(['write-only', 'read-write'], ['metrics', 'nothing']),
    secrets: fc.oneof({ weight: 9, arbitrary: fc.array(secret, { minLength: 1, maxLength: 2 }) }, fc.constant('none')),
    allowFrom: fc.oneof(mostly(['anywhere'], ['nowhere', null]), fc.array(address, { maxLength: 3 })),
    allowedEvents: mostly(['all', ['login'], []], [[1]]),
    rateLimit: mostly([{ requests: 1, windowSeconds: 1 }, null], [{ requests: 0 }]),
    other: mostly([undefined], [1]),
    secret: mostly([undefined], ['plain']),
    allowedOrigins: mostly([undefined, ['*'], ['https://example.com']], [['example.com']]),
  },
  { requiredKeys: ['type', 'secrets'] },
);

t.test('whatever is remembered, the outcome is that of reading in full', (t) => {
  const read = createStoredKeyReader(NO_RECORDS);
  let valid = 0;
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.constantFrom('key', 'key', 'a.b', 'Key', ''), definition, (id, written) => {
        const json = JSON.stringify(written);
        const stored = read(id, json);
        const loaded = readStoredDefinition(id, json);
        if ('invalid' in loaded) return stored.invalid === loaded.invalid;
        valid += 1;
        const whole = compileKeys([loaded], 0).byId.get(id);
        return (
          stored.key !== null &&
          whole !== undefined &&
          JSON.stringify(behaviour(stored.key)) === JSON.stringify(behaviour(whole))
        );
      }),
      { numRuns: 10_000 },
    ),
  );
  t.ok(valid > 200, `${valid} valid ones among them`);
  t.end();
});

t.test('keys of one kind share what they have in common', (t) => {
  const read = createStoredKeyReader(NO_RECORDS);
  const json = (name: string): string =>
    JSON.stringify({
      type: 'write-only',
      description: name,
      secrets: [{ hash: `sha256:${digest(name)}` }],
      allowedEvents: ['login'],
      rateLimit: { requests: 1, windowSeconds: 1 },
    });
  const one = read('one', json('one')).key;
  const two = read('two', json('two')).key;
  t.equal(two?.id, 'two');
  t.equal(two?.secrets[0]?.digest, digest('two'));
  t.equal(two?.allowedEvents, one?.allowedEvents);
  t.equal(two?.rateLimit, one?.rateLimit, 'it was not read anew');
  for (const id of ['a', 'a'.repeat(64)]) t.equal(read(id, json('a')).key?.rateLimit, one?.rateLimit, id);
  const named = JSON.stringify({ ...(JSON.parse(json('three')) as object), id: 'three' });
  t.equal(read('three', named).key?.rateLimit, one?.rateLimit, 'nor is one that says its own name');
  for (const more of [{ mode: 'report' }, { description: 'ä' }, { secret: 'x', secrets: undefined }])
    t.not(
      read('four', JSON.stringify({ ...(JSON.parse(json('four')) as object), ...more })).key?.rateLimit,
      one?.rateLimit,
      'any other is',
    );
  t.end();
});

t.test('what is nested deeper than can be written is one invalid key, and no error', (t) => {
  const read = createStoredKeyReader(NO_RECORDS);
  const secrets = `"secrets":[{"hash":"sha256:${digest('a')}"}]`;
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  for (const json of [
    `{"type":"write-only",${secrets},"other":${deep}}`,
    `{"type":${deep},${secrets}}`,
    `{"type":"write-only",${secrets},"allowFrom":["10.1.2.3"],"rateLimit":${deep}}`,
    `{"type":"write-only",${secrets},"allowFrom":[${deep}]}`,
  ])
    t.equal(read('key', json).key, null);
  t.end();
});

t.test('a hash that is nearly one is none, whatever was read before it', async (t) => {
  const read = createStoredKeyReader(NO_RECORDS);
  const json = (hash: string): string => JSON.stringify({ type: 'write-only', secrets: [{ hash }] });
  const whole = `sha256:${digest('a')}`;
  t.equal(read('one', json(whole)).invalid, null);
  for (const hash of [
    `x${whole}`,
    `${whole}0`,
    `${whole}\n`,
    `sha256:${'-'.repeat(64)}`,
    whole.slice(0, -1),
    digest('a'),
  ]) {
    const { key, invalid } = read('two', json(hash));
    t.equal(key, null, hash);
    t.type(invalid, 'string', hash);
  }
  t.equal(read('two', json(`sha256:${digest('a').toUpperCase()}`)).key?.secrets[0]?.digest, digest('a'));
});

t.test('a key whose policy is not there cannot be used, and says which records it names', async (t) => {
  const read = createStoredKeyReader(NO_RECORDS);
  const secrets = [{ hash: `sha256:${digest('a')}` }];
  const { key, invalid, records } = read('key', JSON.stringify({ policy: 'nowhere', secrets }));
  t.equal(key, null);
  t.match(invalid, /nowhere/);
  t.same(records, ['policy:nowhere']);
});

t.test('an id that is nearly one is none, and a text that is nearly plain is read in full', async (t) => {
  const read = createStoredKeyReader(NO_RECORDS);
  const json = (more: object = {}): string =>
    JSON.stringify({ type: 'write-only', secrets: [{ hash: `sha256:${digest('a')}` }], ...more });
  t.equal(read('one', json()).invalid, null);
  for (const id of ['', 'A', '-a', '.a', 'a b', 'a\n', 'ä', 'a'.repeat(65)]) {
    const { key, invalid } = read(id, json());
    t.equal(key, null, JSON.stringify(id));
    t.match(invalid, /^id must be/);
  }
  for (const id of ['0', 'a.b_c-9', 'a'.repeat(64)]) t.equal(read(id, json()).key?.id, id);
  for (const description of ['\u0000', 'ä', 'x'.repeat(201)])
    t.equal(read('one', json({ description })).key?.id, 'one', 'which is no mistake');
  t.match(read('one', json({ id: 'two' })).invalid, /differs/);
  t.match(read('one', json({ secret: 'x' })).invalid, /cannot stand beside/);
  t.match(read('one', json({ allowFrom: ['192.0.2.1/24'] })).invalid, /^allowFrom\[0\]/);
  t.match(read('one', json({ secrets: [] })).invalid, /^secrets must hold/);
  const twice = { secrets: [{ hash: `sha256:${digest('a')}` }, { hash: `sha256:${digest('a')}` }] };
  t.match(read('one', json(twice)).invalid, /^secrets\[1\] repeats/);
});

t.test('a number that JSON writes as null is not taken for null', async (t) => {
  const read = createStoredKeyReader(NO_RECORDS);
  const json = (limit: string): string =>
    `{"type":"write-only","secrets":[{"hash":"sha256:${digest('a')}"}],"rateLimit":${limit}}`;
  t.equal(read('one', json('null')).key?.rateLimit, null);
  t.equal(read('two', json('1e999')).key, null);
});
