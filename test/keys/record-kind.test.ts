import t from 'tap';
import { NO_RECORDS, type LoadedDefinition, type SharedRecords } from '../../src/keys/definition.ts';
import { readListDefinition } from '../../src/keys/list-definition.ts';
import { readDefinition, readPolicy } from '../../src/keys/read-definition.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { LISTS, POLICIES, spoiledKeys, usersByName, usersOf, withRecord } from '../../src/keys/record-kind.ts';

const key = (id: string, more: Record<string, unknown>): LoadedDefinition => {
  const read = readDefinition({ id, secrets: [{ hash: hashSecret(id) }], ...more });
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return { id, definition: read.value };
};
const policy = (fields: unknown) => {
  const read = readPolicy(fields);
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return read.value;
};
const office = readListDefinition(['192.0.2.1']);
if (!office.ok) throw new Error('the list is valid');

const withLists = withRecord(NO_RECORDS, LISTS, 'office', office.value);
const records: SharedRecords = withRecord(
  withLists,
  POLICIES,
  'partners',
  policy({ type: 'read-only', denyFrom: [{ list: 'office' }] }),
);
const definitions: LoadedDefinition[] = [
  key('a', { policy: 'partners' }),
  key('b', { type: 'read-write', policy: 'partners', allowFrom: [{ list: 'office' }] }),
  key('c', { type: 'write-only', allowFrom: [{ list: 'office' }, { list: 'office' }] }),
  { id: 'd', invalid: 'it is not JSON' },
];
const set = { definitions, records };

t.test('who uses a record: a list of a policy is used by the policy', async (t) => {
  t.same(usersOf(POLICIES, 'partners', set), { keys: ['a', 'b'], policies: [] });
  t.same(usersOf(LISTS, 'office', set), { keys: ['b', 'c'], policies: ['partners'] });
  t.same(usersOf(LISTS, 'partners', set), { keys: [], policies: [] });
  t.same([...usersByName(POLICIES, set).keys()], ['partners']);
  t.same([...usersByName(LISTS, set).keys()], ['office']);
});

t.test('keys that a change makes unusable are told by their ids, others not', async (t) => {
  const changed = (fields: unknown) =>
    spoiledKeys(set, withRecord(records, POLICIES, 'partners', policy(fields))).map(({ path }) => path.slice(0, 3));
  t.same(changed({ type: 'read-write' }), []);
  t.same(changed({}), [['keys', 'a', 'type']]);
  t.same(changed({ type: 'read-only', denyFrom: [{ list: 'other' }] }), [
    ['keys', 'a', 'policy'],
    ['keys', 'b', 'policy'],
  ]);
  t.same(spoiledKeys({ definitions, records: NO_RECORDS }, NO_RECORDS), [], 'they could not be used before');
  t.equal(spoiledKeys(set, withRecord(records, LISTS, 'office', null)).length, 5, 'each mention');
});

t.test('there may be one metrics key, whoever says the type', async (t) => {
  const metrics = (id: string) => key(id, { policy: 'm', apiKey: 'an-api-key-of-this-test' });
  const two = { definitions: [metrics('x'), metrics('y')], records: withRecord(NO_RECORDS, POLICIES, 'm', policy({})) };
  const found = spoiledKeys(two, withRecord(NO_RECORDS, POLICIES, 'm', policy({ type: 'metrics' })));
  t.same(
    found.map(({ path }) => path),
    [['keys', 'y', 'type']],
  );
});

t.test('what a policy names must be there', async (t) => {
  const fields = policy({ apis: ['x'], allowFrom: [{ list: 'y' }] });
  t.same(
    POLICIES.problems(fields, records, ['integration']).map(({ path }) => path),
    [
      ['allowFrom', 0, 'list'],
      ['apis', 0],
    ],
  );
  t.same(LISTS.problems(office.value, records, []), []);
  t.same(LISTS.written(office.value), ['192.0.2.1']);
});
