import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import t from 'tap';
import { sha256Hex } from '../../src/lib/digest.ts';
import { KEY_TYPES } from '../../src/keys/key.ts';
import {
  createDefinitionReader,
  describeFinding,
  readDefinition,
  readPolicy,
  readStoredDefinition,
  writtenDefinition,
  writtenPolicy,
} from '../../src/keys/read-definition.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';

const hash = hashSecret('hunter2');
const minimal = { id: 'a', type: 'write-only', secrets: [{ hash }] };

function read(written: unknown) {
  const result = readDefinition(written);
  if (!result.ok) throw new Error(result.findings.map(describeFinding).join('; '));
  return result.value;
}

t.equal(hash, `sha256:${sha256Hex('hunter2')}`);

/** Mostly right, so that a whole definition often is. */
const mostly = (right: readonly unknown[], wrong: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 29, arbitrary: fc.constantFrom(...right) }, fc.constantFrom(...wrong));
const someDefinition = fc.record(
  {
    id: mostly(['one', 'two'], ['Two', 1]),
    description: mostly(['text', '', 'other text'], [null, 5]),
    type: mostly(['write-only', 'read-write', 'metrics'], ['nothing']),
    policy: mostly([null, 'shared'], [1]),
    secrets: mostly(
      [[{ hash }], [{ hash: hashSecret('other') }], [{ hash }, { hash: hashSecret('other') }], [{ value: 'plain' }]],
      [[{ hash }, { hash }], [{ hash, expiresAt: 'soon' }], [], 'none', [null]],
    ),
    allowFrom: mostly(
      ['anywhere', ['10.1.2.3'], [], ['::1', '10.0.0.0/8'], [{ address: '::1', description: 'here' }], [{ list: 'a' }]],
      ['nowhere', null, ['10.0.0.1/8'], [7]],
    ),
    allowedEvents: mostly(['all', ['login'], ['login', 'logout'], []], [[1], 'none']),
    rateLimit: mostly([{ requests: 1, windowSeconds: 1 }, null], [{ requests: Infinity, windowSeconds: 1 }, Infinity]),
    apiKey: mostly([null, 'key'], [1]),
    other: mostly([undefined], [1]),
    secret: mostly([undefined], ['plain']),
  },
  { requiredKeys: ['id', 'secrets'] },
);

t.test('one after the other they are read as each would be alone', async (t) => {
  const readNext = createDefinitionReader();
  let valid = 0;
  // Neither file has a field without a value that is not null.
  const property = fc.property(someDefinition, (fields) => {
    const written = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const alone = readDefinition(written);
    if (alone.ok) valid += 1;
    const next = readNext(written);
    // The order of fields is that in which they are shown.
    return isDeepStrictEqual(next, alone) && JSON.stringify(next) === JSON.stringify(alone);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 10_000 }));
  t.ok(valid > 1000, `${valid} valid ones among them`);
});

t.test('every default, by type', async (t) => {
  const common = {
    policy: null,
    description: '',
    enabled: true,
    expiresAt: null,
    allowFrom: 'anywhere',
    rateLimit: null,
    mode: 'enforce',
    secrets: [{ hash, expiresAt: null }],
    apis: 'all',
    allowedRoutes: 'all',
    denyFrom: [],
    allowedOrigins: ['*'],
    accessToken: 'allowed',
  };
  const none = {
    allowedEvents: null,
    disallowedEvents: null,
    allowBrowsers: null,
    apiKey: null,
    cacheTtlMinutes: null,
  };
  const events = { allowedEvents: 'all', disallowedEvents: 'remove' };
  t.strictSame(read(minimal), { ...common, ...none, ...events, id: 'a', type: 'write-only' });
  t.strictSame(read({ ...minimal, allowBrowsers: false }), read(minimal), 'of a write-only key it says nothing');
  for (const type of ['read-only', 'read-write'])
    t.strictSame(read({ ...minimal, type }), { ...common, ...none, ...events, id: 'a', type, allowBrowsers: false });
  t.strictSame(read({ ...minimal, type: 'metrics', apiKey: 'key' }), {
    ...common,
    ...none,
    id: 'a',
    type: 'metrics',
    apis: ['metrics'],
    accessToken: 'required',
    allowBrowsers: false,
    apiKey: hashSecret('key'),
    cacheTtlMinutes: 5,
  });
});

t.test('a secret has three spellings and one form, without its text', async (t) => {
  const secrets = [{ hash, expiresAt: null }];
  const { secrets: _, ...rest } = minimal;
  t.same(read({ ...rest, secret: 'hunter2' }).secrets, secrets);
  t.same(read({ ...rest, secrets: [{ value: 'hunter2' }] }).secrets, secrets);
  t.same(
    read({ ...rest, secrets: [{ hash: hash.replace(/[a-f]/g, (digit) => digit.toUpperCase()) }] }).secrets,
    secrets,
  );
  t.notMatch(JSON.stringify(read({ ...rest, secret: 'hunter2' })), /hunter2/);
  t.equal(read({ ...rest, type: 'metrics', secret: 'x', apiKey: hash }).apiKey, hash, 'an API key may be a hash, too');
});

t.test('an address may have a description', async (t) => {
  t.same(read({ ...minimal, allowFrom: ['10.0.0.1', { address: '::1', description: 'Office' }] }).allowFrom, [
    { address: '10.0.0.1', description: '' },
    { address: '::1', description: 'Office' },
  ]);
  t.same(read({ ...minimal, allowFrom: [] }).allowFrom, [], 'an empty list stays an empty list');
});

t.test('findings', async (t) => {
  const findings = (written: unknown): string[] => {
    const result = readDefinition(written);
    return result.ok ? [] : result.findings.map(describeFinding);
  };
  t.match(findings(null), ['it must be a mapping with fields; it is null']);
  t.match(findings([]), [/it must be a mapping/]);
  t.match(findings('x'), [/it must be a mapping/]);
  t.equal(findings({ id: 'A', type: 'x', cacheTtlMinutes: 1 }).length, 4, 'all of them');
  t.notMatch(
    findings({ ...minimal, secrets: [{ hash: 'hunter2' }, { value: 'hunter2\n' }], apiKey: 'hunter2' }).join(),
    /hunter2/,
  );
});

t.test('fields of another type may be null, as in a definition that was read', async (t) => {
  for (const type of KEY_TYPES) {
    const definition = read({ ...minimal, type, ...(type === 'metrics' && { apiKey: 'k' }) });
    t.same(read(definition), definition, type);
  }
});

t.test('stored definitions', async (t) => {
  const json = (value: unknown): string => JSON.stringify(value);
  const { id: _, ...withoutId } = minimal;
  t.match(readStoredDefinition('a', json(minimal)), { id: 'a', definition: { id: 'a', type: 'write-only' } });
  t.match(readStoredDefinition('a', json(withoutId)), { definition: { id: 'a' } }, 'the field names the key');
  t.match(readStoredDefinition('b', json(minimal)), { id: 'b', invalid: /differs/ });
  t.match(readStoredDefinition('a', json({ ...minimal, idd: 1 })), { invalid: /idd is not a known field/ });
  t.match(readStoredDefinition('A', json(withoutId)), { id: 'A', invalid: /id must be/ });
  for (const broken of ['', '{', 'null', '[]', '"x"', '1'])
    t.match(readStoredDefinition('a', broken), { invalid: /JSON/ });
  const reference = { ...withoutId, secrets: undefined, secret: '${HOME}' };
  t.match(readStoredDefinition('a', json(reference)), { definition: { secrets: [{ hash: hashSecret('${HOME}') }] } });
  t.match(readStoredDefinition('a', '{"__proto__":{"type":"write-only"},"secret":"x"}'), { invalid: /__proto__/ });
});

t.test('what is written of a definition reads as the same definition', async (t) => {
  const instants = fc.constantFrom(null, '2027-01-01T00:00:00Z', '2030-06-01T12:00:00+02:00');
  const digests = fc.stringMatching(/^[0-9a-f]{64}$/);
  const definitions = fc.record(
    {
      id: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,9}$/),
      description: fc.string(),
      type: fc.constantFrom('write-only', 'read-write'),
      secrets: fc
        .uniqueArray(digests, { minLength: 1, maxLength: 3 })
        .chain((hashes) =>
          fc.tuple(...hashes.map((digest) => instants.map((expiresAt) => ({ hash: `sha256:${digest}`, expiresAt })))),
        ),
      enabled: fc.boolean(),
      expiresAt: instants,
      allowFrom: fc.constantFrom('anywhere', [], ['10.0.0.0/8', { address: '::1', description: 'x' }]),
      denyFrom: fc.constantFrom([], ['10.0.0.0/8', { address: '::1', description: 'x' }, { list: 'office' }]),
      apis: fc.constantFrom('all', [], ['orders']),
      allowedRoutes: fc.constantFrom('all', [], ['GET /v1/:id']),
      accessToken: fc.constantFrom('allowed', 'required', 'never'),
      allowedEvents: fc.oneof(fc.constant('all'), fc.array(fc.string({ minLength: 1 }))),
      disallowedEvents: fc.constantFrom('remove', 'reject'),
      rateLimit: fc.constantFrom(null, { requests: 1, windowSeconds: 2 }),
      mode: fc.constantFrom('enforce', 'report'),
    },
    { requiredKeys: ['id', 'type', 'secrets'] },
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(definitions, (written) => {
        const definition = read(written);
        const stored = readStoredDefinition(definition.id, JSON.stringify(writtenDefinition(definition)));
        t.strictSame('definition' in stored ? stored.definition : stored, definition);
      }),
      { numRuns: 50 },
    ),
  );
});

t.test('the API key is written as its hash', async (t) => {
  const key = read({ ...minimal, type: 'metrics', apiKey: 'the-api-key' });
  t.equal(key.apiKey, hashSecret('the-api-key'));
  t.same(writtenDefinition(key), { id: 'a', type: 'metrics', secrets: [{ hash }], apiKey: hashSecret('the-api-key') });
  t.same(read(writtenDefinition(key)), key);
});

t.test('what happens to events that are not allowed', async (t) => {
  for (const disallowedEvents of ['remove', 'reject'] as const)
    t.equal(read({ ...minimal, disallowedEvents }).disallowedEvents, disallowedEvents);
  t.equal(readDefinition({ ...minimal, disallowedEvents: 'keep' }).ok, false);
});

t.test('what each key has of its own stands in no policy', async (t) => {
  for (const field of ['id', 'secret', 'secrets', 'apiKey', 'policy']) {
    const policy = readPolicy({ mode: 'report', [field]: 'x' });
    t.same(policy.ok ? [] : policy.findings, [
      { path: [field], message: 'cannot stand in a policy: each key has its own', atKey: true },
    ]);
  }
  t.same(readPolicy({ mode: 'report' }), { ok: true, value: { mode: 'report' } });
});

t.test('what is written of a list is as short as it can be', async (t) => {
  const lists = {
    allowFrom: ['10.0.0.1', { address: '::1', description: 'x' }],
    denyFrom: ['10.0.0.2', { list: 'l' }],
  };
  t.same(writtenDefinition(read({ ...minimal, ...lists })), { ...minimal, ...lists });
  const { type: _, ...untyped } = minimal;
  t.notOk('type' in writtenDefinition(read({ ...untyped, policy: 'p' })), 'what the policy says is not said');
  const policy = readPolicy({ ...lists, rateLimit: null, allowedEvents: null });
  t.same(policy.ok && policy.value.denyFrom, [{ address: '10.0.0.2', description: '' }, { list: 'l' }]);
  t.same(policy.ok && writtenPolicy(policy.value), { ...lists, rateLimit: null }, 'null says that there is none');
});

t.test('rules between fields', async (t) => {
  const findings = (written: object): readonly string[] => {
    const result = readDefinition({ id: 'a', ...written });
    return result.ok ? [] : result.findings.map(describeFinding);
  };
  const secrets = [{ hash }];
  t.match(findings({ type: 'write-only', secret: 'x', secrets }), [/^secret cannot stand beside `secrets`/]);
  t.match(findings({ type: 'write-only' }), [/^it needs a secret/]);
  t.match(findings({ secrets }), [/^type is missing: it must be one of "write-only", /]);
  t.same(findings({ secrets, policy: 'p' }), [], 'the policy may say it');
  t.match(findings({ secrets, policy: null }), [/^type is missing/]);
  t.match(findings({ type: 'metrics', secrets }), [/^it needs `apiKey`/]);
  t.match(findings({ type: 'metrics', secrets, apiKey: null }), [/^it needs `apiKey`/]);
  t.match(findings({ type: 'write-only', secrets: [{ hash }, { value: 'hunter2' }] }), [
    /^secrets\[1\] repeats a secret/,
  ]);
  t.same(findings({ type: 'metrics', secrets, apiKey: 'k', apis: 'all' }), []);
  t.same(read({ ...minimal, type: 'metrics', apiKey: 'k', apis: 'all' }).apis, ['metrics']);
});
