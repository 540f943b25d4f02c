import t from 'tap';
import {
  entityTag,
  matches,
  readNewDefinition,
  readReplacement,
  showDefinition,
} from '../../src/admin/definition-view.ts';
import { defaultsOf, NO_RECORDS, type KeyDefinition, type SharedRecords } from '../../src/keys/definition.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';

function definition(written: Record<string, unknown>): KeyDefinition {
  const read = readDefinition(written);
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return read.value;
}

const METRICS = definition({
  id: 'm',
  type: 'metrics',
  apiKey: 'the-api-key',
  secrets: [{ value: 'one', expiresAt: '2030-01-01T00:00:00Z' }, { value: 'two' }],
});

t.test('secrets and the API key are shown as ids', async (t) => {
  const shown = showDefinition(METRICS, NO_RECORDS);
  const id = hashSecret('one').slice(7, 19);
  t.same(shown.secrets[0], { id, expiresAt: '2030-01-01T00:00:00Z' });
  t.same(shown.apiKey, { id: hashSecret('the-api-key').slice(7, 19) });
  t.notMatch(JSON.stringify(shown), /[0-9a-f]{13}/);
});

t.test('what is shown can be sent back, whole or without the secrets', async (t) => {
  const { secrets, apiKey, ...rest } = showDefinition(METRICS, NO_RECORDS);
  for (const body of [
    { ...rest, secrets, apiKey },
    rest,
    { ...rest, secrets: secrets.slice(1) },
    { ...rest, secrets: null, apiKey: null },
  ])
    t.same(readReplacement(body, METRICS, NO_RECORDS), { ok: true, value: METRICS });
});

t.test('an API key is replaced by text, never by the id of another', async (t) => {
  const { apiKey: _apiKey, ...rest } = showDefinition(METRICS, NO_RECORDS);
  const changed = readReplacement({ ...rest, apiKey: 'a-new-one' }, METRICS, NO_RECORDS);
  t.match(changed, { ok: true, value: { apiKey: hashSecret('a-new-one') } });
  t.match(readReplacement({ ...rest, apiKey: { id: '0'.repeat(12) } }, METRICS, NO_RECORDS), {
    ok: false,
    findings: [{ path: ['apiKey'] }],
  });
});

t.test('a key that changes its type leaves behind what only the old one has', async (t) => {
  const body = { type: 'read-write', secrets: showDefinition(METRICS, NO_RECORDS).secrets };
  t.match(readReplacement(body, METRICS, NO_RECORDS), {
    ok: true,
    value: { type: 'read-write', apiKey: null, secrets: METRICS.secrets },
  });
});

t.test('a new definition brings no secret of its own', async (t) => {
  const made = { hash: hashSecret('made'), apiKey: 'made-api-key' };
  t.match(readNewDefinition({ id: 'a', type: 'metrics' }, made), {
    ok: true,
    value: { secrets: [{ hash: made.hash }], apiKey: hashSecret('made-api-key') },
  });
  t.match(readNewDefinition({ id: 'a', type: 'metrics', apiKey: 'own' }, made), {
    value: { apiKey: hashSecret('own') },
  });
  t.match(readNewDefinition({ id: 'a', type: 'read-write' }, made), { value: { apiKey: null } });
  for (const field of [{ secret: 'x' }, { secrets: [] }])
    t.match(readNewDefinition({ id: 'a', type: 'read-write', ...field }, made), { ok: false });
  for (const body of [undefined, null, 'x', [], 1]) t.match(readNewDefinition(body, made), { ok: false });
});

t.test('entity tags', async (t) => {
  const stored = { id: 'm', definition: METRICS };
  const tag = entityTag(stored);
  const { id, ...others } = METRICS;
  t.equal(entityTag({ id, definition: { ...others, id } }), tag, 'whatever the order of the fields');
  t.not(entityTag({ id, definition: { ...METRICS, enabled: false } }), tag);
  t.not(entityTag({ id, invalid: 'why' }), entityTag({ id, invalid: 'other' }));
  for (const ifMatch of [tag, '*', ` ${tag} `, `"a", ${tag}`, `W/${tag}`]) t.ok(matches(ifMatch, tag), ifMatch);
  for (const ifMatch of ['', 'W/"a"', tag.slice(1, -1), '"*"', '"a"']) t.notOk(matches(ifMatch, tag), ifMatch);
});

t.test('a mistake is told at the field that it is in', async (t) => {
  const { secrets, ...rest } = showDefinition(METRICS, NO_RECORDS);
  const pathsOf = (body: unknown) => {
    const read = readReplacement(body, METRICS, NO_RECORDS);
    return read.ok ? [] : read.findings.map(({ path }) => path);
  };
  t.same(pathsOf({ ...rest, id: 'other' }), [['id']]);
  t.same(pathsOf({ ...rest, secret: 'x' }), [['secret']]);
  t.same(pathsOf({ ...rest, secrets: 'x' }), [['secrets']]);
  t.same(pathsOf({ ...rest, secrets: [secrets[0], 'x', { id: '0'.repeat(12) }] }), [
    ['secrets', 1],
    ['secrets', 2],
  ]);
  t.same(pathsOf({ ...rest, secrets: [{ ...secrets[0], expiresAt: null }] }), [['secrets', 0]]);
  t.same(pathsOf({ ...rest, secrets: [{ ...secrets[0], value: 'x' }] }), [['secrets', 0]]);
  t.same(pathsOf({ ...rest, secrets: [{ id: secrets[0]?.id }] }), [], 'the time may be left out');
  t.same(pathsOf({ ...rest, apiKey: { ...rest.apiKey, value: 'x' } }), [['apiKey']]);
  const made = readNewDefinition(
    { id: 'a', type: 'write-only', secret: 'x', secrets: [] },
    { hash: hashSecret('m'), apiKey: 'k' },
  );
  t.same(made.ok || made.findings.map(({ path, atKey }) => [path, atKey]), [
    [['secret'], true],
    [['secrets'], true],
  ]);
});

const SHARING = definition({ id: 's', policy: 'partners', secret: 'three', description: 'Own', rateLimit: null });
const records: SharedRecords = {
  policies: new Map([
    ['partners', { id: 'partners', definition: { type: 'read-only', mode: 'report', description: 'Theirs' } } as const],
    ['torn', { id: 'torn', invalid: 'it is not JSON' }],
    ['dash', { id: 'dash', definition: { type: 'metrics', cacheTtlMinutes: 7 } } as const],
  ]),
  lists: new Map(),
};

t.test('a key is shown with all that holds for it, and with what of it is its policy\u2019s', async (t) => {
  const { inherited, secrets, ...shown } = showDefinition(SHARING, records);
  t.same(shown, {
    ...defaultsOf('read-only'),
    id: 's',
    policy: 'partners',
    type: 'read-only',
    mode: 'report',
    description: 'Own',
    rateLimit: null,
    apiKey: null,
  });
  t.equal(secrets[0]?.id, hashSecret('three').slice(7, 19));
  for (const field of ['type', 'mode', 'apis', 'allowFrom']) t.ok(inherited.includes(field), field);
  for (const field of ['id', 'policy', 'secrets', 'apiKey', 'description', 'rateLimit'])
    t.notOk(inherited.includes(field), field);
  t.same(showDefinition(METRICS, records).inherited, []);
  for (const policy of ['nobody', 'torn'])
    t.match(showDefinition({ ...SHARING, policy } as KeyDefinition, records), { type: 'write-only', mode: 'enforce' });
  t.match(showDefinition({ ...SHARING, type: 'read-write' } as KeyDefinition, records), { type: 'read-write' });
});

t.test(
  'what is sent back as it was shown is still the policy\u2019s, and what was changed is the key\u2019s own',
  async (t) => {
    const shown = showDefinition(SHARING, records);
    t.same(readReplacement(shown, SHARING, records), { ok: true, value: SHARING });
    const read = (change: object) => readReplacement({ ...shown, ...change }, SHARING, records);
    t.same(read({ mode: 'enforce' }), { ok: true, value: { ...SHARING, mode: 'enforce' } });
    t.same(read({ description: 'Theirs' }), { ok: true, value: { ...SHARING, description: 'Theirs' } });
    t.same(read({ description: 'Own' }), { ok: true, value: SHARING }, 'its own stays its own');
    const alone = readReplacement({ ...shown, policy: null }, SHARING, records);
    t.match(alone, { ok: true, value: { policy: null, type: 'read-only', mode: 'report' } }, 'without it, all is said');
    const { id: _id, ...nameless } = shown;
    t.same(readReplacement(nameless, SHARING, records), { ok: true, value: SHARING });
  },
);

t.test('an API key stays with a key that has its type from its policy, and goes with the type', async (t) => {
  const apiKey = hashSecret('the-api-key');
  const key = definition({ id: 'd', policy: 'dash', secret: 'four', apiKey });
  t.match(readReplacement({ policy: 'dash' }, key, records), { ok: true, value: { apiKey } });
  t.match(readReplacement({ policy: 'dash', apiKey: { id: apiKey.slice(7, 19) } }, key, records), {
    value: { apiKey },
  });
  const { policy: _, ...asReadOnly } = { ...showDefinition(key, records), type: 'read-only', cacheTtlMinutes: null };
  t.match(readReplacement(asReadOnly, key, records), { ok: true, value: { type: 'read-only', apiKey: null } });
  const none = readReplacement({ type: 'read-only', apiKey: { id: '0'.repeat(12) } }, SHARING, records);
  t.same(none.ok || none.findings.map(({ path }) => path), [['apiKey']], 'there is none that could stay');
});

t.test('what is no definition is told so, whatever else is wrong', async (t) => {
  const made = { hash: hashSecret('made'), apiKey: 'made-api-key' };
  for (const body of [null, undefined, 'x', 7, []]) {
    t.same(readReplacement(body, METRICS, NO_RECORDS), readDefinition(body), JSON.stringify(body));
    t.same(readNewDefinition(body, made), readDefinition(body), JSON.stringify(body));
  }
  const sent = { id: 'a', type: 'read-only' };
  const withNulls = { ...sent, secret: null, secrets: null, apiKey: null, inherited: ['mode'] };
  t.match(readNewDefinition(withNulls, made), { ok: true, value: { secrets: [{ hash: made.hash }], apiKey: null } });
  t.match(readNewDefinition({ ...sent, type: 'metrics', apiKey: null }, made), {
    ok: true,
    value: { apiKey: hashSecret('made-api-key') },
  });
  const pathsOf = (read: ReturnType<typeof readDefinition>) => read.ok || read.findings.map(({ path }) => path);
  t.same(pathsOf(readNewDefinition({ ...sent, secret: 'x', mode: 'y' }, made)), [['secret'], ['mode']]);
  const one = readReplacement({ type: 'metrics', secret: 'x', mode: 'y' }, METRICS, NO_RECORDS);
  t.same(pathsOf(one), [['secret'], ['mode']]);
  t.equal(one.ok || one.findings[0]?.atKey, true);
  t.match(readReplacement({ type: 'metrics', secret: null }, METRICS, NO_RECORDS), { ok: true });
  const odd = [null, [], { expiresAt: null }, 'x'];
  t.same(
    pathsOf(readReplacement({ type: 'metrics', secrets: odd }, METRICS, NO_RECORDS)),
    odd.map((_, index) => ['secrets', index]),
  );
});
