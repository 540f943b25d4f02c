import t from 'tap';
import { ANYWHERE, NOWHERE } from '../../src/keys/address-rule.ts';
import { compileKeys, digestOf } from '../../src/keys/compile.ts';
import type { LoadedDefinition } from '../../src/keys/definition.ts';
import type { WrittenKeyDefinition } from '../../src/keys/definition-schema.ts';
import { readDefinition, readPolicy } from '../../src/keys/read-definition.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { sha256Hex } from '../../src/lib/digest.ts';

function loaded(
  written: Omit<WrittenKeyDefinition, 'type'> & { type?: WrittenKeyDefinition['type'] },
): LoadedDefinition {
  const read = readDefinition({ type: 'write-only', ...written });
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return { id: read.value.id, definition: read.value };
}
const compileOne = (written: Parameters<typeof loaded>[0]) => {
  const key = compileKeys([loaded(written)], 1).byId.get(written.id);
  if (key === undefined) throw new Error('not compiled');
  return key;
};

t.test('a whole key', async (t) => {
  const snapshot = compileKeys(
    [
      loaded({
        id: 'web',
        secrets: [{ value: 'one', expiresAt: '2027-01-01T00:00:00Z' }, { hash: hashSecret('two') }],
        expiresAt: '2027-01-01T02:00:00+02:00',
        allowedEvents: ['login'],
        allowedOrigins: ['https://a.example'],
        rateLimit: { requests: 3, windowSeconds: 2 },
        mode: 'report',
        disallowedEvents: 'reject',
        enabled: false,
      }),
    ],
    7,
  );
  t.equal(snapshot.version, 7);
  const key = snapshot.byId.get('web');
  if (key === undefined) throw new Error('not compiled');
  const { allowFrom, denyFrom, ...rest } = key;
  t.equal(allowFrom, ANYWHERE);
  t.equal(denyFrom, NOWHERE);
  t.strictSame(rest, {
    id: 'web',
    type: 'write-only',
    policy: null,
    policyFields: new Set(),
    apis: null,
    allowedRoutes: null,
    enabled: false,
    expiresAt: Date.UTC(2027, 0, 1),
    secrets: [
      { id: sha256Hex('one').slice(0, 12), digest: sha256Hex('one'), expiresAt: Date.UTC(2027, 0, 1) },
      { id: sha256Hex('two').slice(0, 12), digest: sha256Hex('two'), expiresAt: null },
    ],
    allowedEvents: new Set(['login']),
    disallowedEvents: 'reject',
    allowedOrigins: new Set(['https://a.example']),
    allowBrowsers: true,
    accessToken: 'allowed',
    rateLimit: { requests: 3, windowSeconds: 2 },
    mode: 'report',
    apiKeyDigest: null,
    cacheTtlMs: null,
  });
  t.equal(snapshot.bySecret.size, 2, 'each secret leads to it');
  t.equal(snapshot.bySecret.get(sha256Hex('two'))?.key, key);
  t.equal(
    snapshot.bySecret.get(digestOf(hashSecret(hashSecret('two')))),
    undefined,
    'a hash shown as a secret does not',
  );
});

t.test('metrics', async (t) => {
  const key = compileOne({ id: 'm', type: 'metrics', secret: 's', apiKey: 'a', cacheTtlMinutes: 6 });
  t.equal(key.apiKeyDigest, sha256Hex('a'));
  t.equal(key.cacheTtlMs, 360_000);
  t.equal(key.disallowedEvents, 'reject', 'the stricter one where it has no meaning');
  t.same([key.apis, key.accessToken, key.allowBrowsers], [new Set(['metrics']), 'required', false]);
});

t.test('addresses', async (t) => {
  const admits = (allowFrom: WrittenKeyDefinition['allowFrom'], address: string | null): boolean =>
    compileOne({ id: 'a', secret: 's', allowFrom }).allowFrom.holds(parseAddress(address ?? ''), new Map());
  t.equal(admits('anywhere', '192.0.2.1'), true);
  t.equal(admits('anywhere', null), true, 'an unknown address is anywhere');
  t.equal(admits(['0.0.0.0/0', '::/0'], null), false, 'but on no list');
  t.equal(admits(['192.0.2.0/24', { address: '::1' }], '192.0.2.9'), true);
  t.equal(admits(['192.0.2.0/24'], '::ffff:192.0.2.9'), true);
  t.equal(admits(['192.0.2.0/24'], '192.0.3.9'), false);
  t.equal(admits([], '192.0.2.9'), false, 'an empty list admits nobody');
  const denies = (denyFrom: WrittenKeyDefinition['denyFrom'], address: string | null): boolean =>
    compileOne({ id: 'a', secret: 's', denyFrom }).denyFrom.holds(parseAddress(address ?? ''), new Map());
  t.equal(denies([], null), false);
  t.equal(denies(['192.0.2.0/24'], '192.0.2.9'), true);
  t.equal(denies(['192.0.2.0/24'], '192.0.3.9'), false);
  t.equal(denies(['192.0.2.0/24'], null), true, 'an unknown address passes only where nothing is denied');
});

t.test('what becomes of other events', async (t) => {
  t.equal(compileOne({ id: 'a', secret: 's' }).disallowedEvents, 'remove');
  for (const disallowedEvents of ['remove', 'reject'] as const)
    t.equal(compileOne({ id: 'a', secret: 's', disallowedEvents }).disallowedEvents, disallowedEvents);
});

t.test('all, none and some', async (t) => {
  t.equal(compileOne({ id: 'a', secret: 's' }).allowedEvents, null);
  t.same(compileOne({ id: 'a', secret: 's', allowedEvents: [] }).allowedEvents, new Set());
  t.equal(compileOne({ id: 'a', secret: 's' }).allowedOrigins, null);
  t.same(compileOne({ id: 'a', secret: 's', allowedOrigins: [] }).allowedOrigins, new Set());
  t.equal(compileOne({ id: 'a', secret: 's' }).apis, null);
  t.same(compileOne({ id: 'a', secret: 's', apis: ['orders'] }).apis, new Set(['orders']));
  t.same(compileOne({ id: 'a', secret: 's', apis: [] }).apis, new Set());
  t.equal(compileOne({ id: 'a', secret: 's' }).allowedRoutes, null);
  t.equal(compileOne({ id: 'a', secret: 's', allowedRoutes: [] }).allowedRoutes?.admits('POST', '/'), false);
});

t.test('definitions that contradict each other are all disabled, and nothing else is', async (t) => {
  const { byId, bySecret, invalid } = compileKeys(
    [
      loaded({ id: 'good', secret: '1' }),
      loaded({ id: 'a', secret: '2' }),
      loaded({ id: 'b', secrets: [{ value: '3' }, { value: '2' }] }),
      loaded({ id: 'c', secret: '2' }),
      loaded({ id: 'm1', type: 'metrics', apiKey: 'k', secret: '4' }),
      loaded({ id: 'm2', type: 'metrics', apiKey: 'k', secret: '5' }),
      { id: 'broken', invalid: 'it is not JSON' },
    ],
    1,
  );
  t.same([...byId.keys()], ['good']);
  t.same([...bySecret.keys()], [sha256Hex('1')]);
  t.strictSame(invalid, [
    { id: 'a', why: 'it shares a secret with b' },
    { id: 'b', why: 'it shares a secret with a' },
    { id: 'c', why: 'it shares a secret with a' },
    { id: 'm1', why: 'there may be one metrics key, and m2 is another' },
    { id: 'm2', why: 'there may be one metrics key, and m1 is another' },
    { id: 'broken', why: 'it is not JSON' },
  ]);
});

t.test('equal lists are compiled once', async (t) => {
  const list = {
    apis: ['a'],
    allowedRoutes: ['GET /'],
    allowFrom: ['10.0.0.0/8'],
    denyFrom: ['10.0.0.1'],
    allowedEvents: ['x'],
  };
  const { byId } = compileKeys(
    [loaded({ id: 'a', secret: '1', ...list }), loaded({ id: 'b', secret: '2', ...list })],
    1,
  );
  for (const field of Object.keys(list) as (keyof typeof list)[]) {
    t.type(byId.get('a')?.[field], 'object', field);
    t.equal(byId.get('a')?.[field], byId.get('b')?.[field], field);
  }
});

t.test('where very many lists differ, those that came first go on being shared', async (t) => {
  const listOf = (key: number): string[] => [`10.1.${key >> 8}.${key & 255}`];
  const definitions = [...Array.from({ length: 1001 }, (_, key) => key), 1000, 0].map((key, place) =>
    loaded({ id: `key-${place}`, secrets: [{ value: `secret ${place}` }], allowFrom: listOf(key) }),
  );
  const { byId } = compileKeys(definitions, 1);
  const ruleOf = (place: number) => byId.get(`key-${place}`)?.allowFrom;
  t.equal(ruleOf(1002), ruleOf(0));
  t.not(ruleOf(1001), ruleOf(1000));
  t.ok(ruleOf(1001)?.holds(parseAddress('10.1.3.232'), new Map()));
});

t.test('of several contradictions the first is told', async (t) => {
  const twins = [loaded({ id: 'a', secret: '1' }), loaded({ id: 'a', secret: '1' }), loaded({ id: 'b', secret: '1' })];
  t.same(
    compileKeys(twins, 1).invalid.map(({ why }) => why),
    ['its id is used twice', 'its id is used twice', 'it shares a secret with a'],
  );
});

t.test('a key knows its policy, and which of its lists are those of the policy', async (t) => {
  const limit = { requests: 1, windowSeconds: 1 };
  const policy = readPolicy({
    type: 'read-only',
    allowedEvents: ['x'],
    denyFrom: ['::1'],
    rateLimit: limit,
    apis: ['a'],
    allowFrom: ['192.0.2.1'],
    allowedRoutes: ['GET /a'],
  });
  if (!policy.ok) throw new Error('no policy');
  const policies = new Map([['p', { id: 'p', definition: policy.value }]]);
  const records = { policies, lists: new Map() };
  const keys = [
    loaded({ id: 'a', secret: '1', policy: 'p', type: undefined }),
    loaded({ id: 'b', secret: '2', policy: 'p', denyFrom: ['::1'], rateLimit: limit, allowedRoutes: ['GET /'] }),
    loaded({ id: 'c', secret: '3' }),
    loaded({ id: 'd', secret: '4', policy: 'none' }),
  ];
  const { byId, invalid } = compileKeys(keys, 1, records);
  const fields = (id: string) => [byId.get(id)?.policy, [...(byId.get(id)?.policyFields ?? [])]];
  t.same(fields('a'), ['p', ['allowedRoutes', 'allowFrom', 'denyFrom', 'allowedEvents', 'rateLimit']]);
  t.same(fields('b'), ['p', ['allowFrom', 'allowedEvents']], 'what it says itself is its own, though it is the same');
  t.same(fields('c'), [null, []]);
  t.match(invalid, [{ id: 'd', why: /^policy is the name of no policy: "none"/ }]);
  t.equal(byId.get('a')?.type, 'read-only');
});
