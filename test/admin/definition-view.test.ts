import t from 'tap';
import {
  entityTag,
  matches,
  readNewDefinition,
  readReplacement,
  showDefinition,
} from '../../src/admin/definition-view.ts';
import { NO_RECORDS, type KeyDefinition } from '../../src/keys/definition.ts';
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
