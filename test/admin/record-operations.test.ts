import t from 'tap';
import { entityTag } from '../../src/admin/definition-view.ts';
import { recordOperations } from '../../src/admin/record-operations.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import type { SharedRecords } from '../../src/keys/definition.ts';
import type { AddressListDefinition } from '../../src/keys/list-definition.ts';
import { compileAddressSet, parseCidr } from '../../src/lib/cidr.ts';
import { asking, loadedKey, storedWorld } from '../support/admin-operations.ts';
import { NOON } from '../support/outcomes.ts';

const OFFICE: AddressListDefinition = { kind: 'literal', entries: [{ address: '192.0.2.1', description: '' }] };
const CDN: AddressListDefinition = {
  kind: 'url',
  url: 'https://example.com/ranges.txt',
  refreshMinutes: 60,
  maxEntries: 10,
};
const records: SharedRecords = {
  policies: new Map([
    ['partners', { id: 'partners', definition: { type: 'read-only', allowFrom: [{ list: 'office' }] } } as const],
    ['broken', { id: 'broken', invalid: 'it is not JSON' }],
    ['spare', { id: 'spare', definition: { mode: 'report' } } as const],
  ]),
  lists: new Map([
    ['office', { id: 'office', definition: OFFICE }],
    ['cdn', { id: 'cdn', definition: CDN }],
    ['torn', { id: 'torn', invalid: 'it is no list' }],
  ]),
};
const NONE = { keys: [], policies: [], configuration: [], total: 0 };
const CREATE = { ifNoneMatch: '*' };

function started() {
  const world = storedWorld([loadedKey({ id: 'one', policy: 'partners', secret: 'the-secret-of-one' })], records);
  const parsed = parseCidr('203.0.113.0/24');
  const set = compileAddressSet(parsed.ok ? [parsed.value] : []);
  const ask = asking(
    recordOperations({
      changes: world.changes,
      keys: () => {
        const snapshot = world.snapshot();
        return snapshot && { ...snapshot, lists: new Map([['cdn', set]]) };
      },
      config: () =>
        ConfigSchema.parse({
          apis: { integration: { upstream: 'http://127.0.0.1:9', denyFrom: [{ list: 'office' }] } },
        }),
      source: { lists: () => [{ name: 'cdn', up: true, entries: 7, lastSuccessAt: NOON - 9000, why: null }] },
      now: () => NOON,
    }),
  );
  return { world, ask };
}

t.test('the lists: each with who uses it, and apart from it what cannot be read', async (t) => {
  const { ask } = started();
  const policies = await ask('listPolicies');
  t.equal(policies.status, 200);
  t.same(policies.body, {
    policies: [
      {
        name: 'partners',
        type: 'read-only',
        allowFrom: [{ list: 'office' }],
        usedBy: { ...NONE, keys: ['one'], total: 1 },
      },
      { name: 'spare', mode: 'report', usedBy: NONE },
    ],
    invalid: [{ name: 'broken', why: 'it is not JSON' }],
  });
  const lists = await ask('listAddressLists');
  t.equal(lists.status, 200);
  const usedBy = { keys: [], policies: ['partners'], configuration: ['apis.integration.denyFrom'], total: 2 };
  t.same(lists.body.lists[0].usedBy, usedBy);
  t.same(lists.body.lists[1], {
    name: 'cdn',
    ...CDN,
    entries: [{ address: '203.0.113.0/24', description: '' }],
    total: 7,
    up: true,
    why: null,
    lastSuccessAt: new Date(NOON - 9000).toISOString(),
    ageSeconds: 9,
    usedBy: NONE,
  });
  t.same(lists.body.invalid, [{ name: 'torn', why: 'it is no list' }]);
});

t.test('one: with its tag, and what cannot be read with the tag that replaces or deletes it', async (t) => {
  const { ask } = started();
  const one = await ask('getPolicy', { params: { name: 'spare' } });
  t.same([one.status, one.body.mode], [200, 'report']);
  t.equal(one.headers['etag'], entityTag({ id: 'spare', definition: { mode: 'report' } }));
  const list = await ask('getAddressList', { params: { name: 'office' } });
  t.same([list.body.entries, list.body.total, list.body.usedBy.total], [OFFICE.entries, 1, 2]);
  const missing = await ask('getPolicy', { params: { name: 'nobody' } });
  t.same([missing.status, missing.body.detail], [404, 'There is no such policy.']);
  t.equal((await ask('getAddressList', { params: { name: 'nobody' } })).body.detail, 'There is no such address list.');
  const broken = await ask('getPolicy', { params: { name: 'broken' } });
  t.same([broken.status, broken.body.code], [409, 'malformed_definition']);
  t.match(broken.body.detail, /no policy: it is not JSON\. It can be replaced or deleted\.$/);
  const ifMatch = broken.headers['etag'] ?? '';
  const replaced = await ask('putPolicy', { params: { name: 'broken' }, body: { mode: 'enforce' }, ifMatch });
  t.same([replaced.status, replaced.body.mode], [200, 'enforce']);
  t.equal((await ask('deletePolicy', { params: { name: 'broken' }, ifMatch: '*' })).status, 204);
});

t.test('put: created where it is meant to be new, replaced where it is what the caller saw', async (t) => {
  const { ask, world } = started();
  const params = { name: 'new' };
  const made = await ask('putPolicy', { params, body: { mode: 'report' }, ...CREATE });
  t.same([made.status, made.body], [201, { name: 'new', mode: 'report', usedBy: NONE }]);
  t.equal(made.headers['etag'], entityTag({ id: 'new', definition: { mode: 'report' } }));
  t.equal((await ask('putPolicy', { params, body: {}, ...CREATE })).body.code, 'precondition_failed');
  t.equal((await ask('putPolicy', { params, body: {} })).body.code, 'precondition_required');
  const wrong = await ask('putPolicy', { params, body: { mode: 'x' }, ifMatch: '*' });
  t.same([wrong.status, wrong.body.code, wrong.body.findings[0].field], [422, 'invalid_definition', 'mode']);
  const replaced = await ask('putPolicy', { params, body: { mode: 'enforce' }, ifMatch: made.headers['etag'] ?? '' });
  t.same([replaced.status, replaced.body.mode], [200, 'enforce']);
  const partners = await ask('putPolicy', { params: { name: 'partners' }, body: { type: 'read-write' }, ifMatch: '*' });
  t.same(partners.body.usedBy, { ...NONE, keys: ['one'], total: 1 }, 'with those who use it');
  const list = await ask('putAddressList', { params: { name: 'cdn' }, body: { ...CDN, kind: 'url' }, ifMatch: '*' });
  t.same([list.status, list.body.total], [200, 7]);
  const other = await ask('putAddressList', {
    params: { name: 'cdn' },
    body: { url: CDN.url, entries: [] },
    ifMatch: '*',
  });
  t.same([other.status, other.body.findings[0].field], [422, 'entries'], 'its entries are those that were read');
  t.same(
    world.told.map((one) => Object.values(one as object).slice(0, 2)),
    [
      ['create_policy', 'new'],
      ['replace_policy', 'new'],
      ['replace_policy', 'partners'],
    ],
  );
});

t.test('the history is told of what was before and is after', async (t) => {
  const { ask, world } = started();
  await ask('putPolicy', { params: { name: 'new' }, body: { mode: 'report' }, ...CREATE });
  await ask('putPolicy', { params: { name: 'new' }, body: { mode: 'enforce' }, ifMatch: '*' });
  await ask('putPolicy', { params: { name: 'new' }, body: { mode: 'enforce' }, ifMatch: '*' });
  await ask('deletePolicy', { params: { name: 'new' }, ifMatch: '*' });
  await ask('deleteAddressList', { params: { name: 'cdn' }, ifMatch: '*' });
  const target = { kind: 'policy', name: 'new' };
  t.same(world.noted, [
    { action: 'create_policy', target, before: null, after: { mode: 'report' } },
    { action: 'replace_policy', target, before: { mode: 'report' }, after: { mode: 'enforce' } },
    { action: 'delete_policy', target, before: { mode: 'enforce' }, after: null },
    { action: 'delete_list', target: { kind: 'list', name: 'cdn' }, before: CDN, after: null },
  ]);
});

t.test('delete: only what nobody uses, and only as the caller saw it', async (t) => {
  const { ask, world } = started();
  const codeOf = async (operation: string, name: string, ifMatch?: string) =>
    (await ask(operation, { params: { name }, ...(ifMatch !== undefined && { ifMatch }) })).body?.code;
  t.equal(await codeOf('deletePolicy', 'partners', '*'), 'in_use');
  t.equal(await codeOf('deleteAddressList', 'office', '*'), 'in_use');
  t.equal(await codeOf('deletePolicy', 'spare'), 'precondition_required');
  t.equal(await codeOf('deletePolicy', 'spare', '"0"'), 'precondition_failed');
  t.equal(await codeOf('deletePolicy', 'nobody', '*'), 'not_found');
  world.records = { ...records, policies: new Map() };
  world.keys = [];
  t.equal(await codeOf('deleteAddressList', 'office', '*'), 'in_use', 'the configuration names it');
  t.same(world.told, []);
  const gone = await ask('deleteAddressList', { params: { name: 'cdn' }, ifMatch: '*' });
  t.same([gone.status, gone.body], [204, undefined]);
  t.same(world.told, [{ action: 'delete_list', list: 'cdn', fields: [] }]);
});

t.test('a source that cannot be read is said to be so, and nothing is loaded at the start', async (t) => {
  const { ask, world } = started();
  world.loaded = false;
  t.equal((await ask('getAddressList', { params: { name: 'cdn' } })).body.total, 7);
  const { body } = await ask('putAddressList', { params: { name: 'new' }, body: ['192.0.2.1'], ...CREATE });
  t.same([body.total, body.up], [1, false]);
  world.failure = { kind: 'unavailable', why: 'It is away.' };
  for (const operation of ['listPolicies', 'getPolicy', 'putPolicy', 'deletePolicy'])
    t.equal(
      (await ask(operation, { params: { name: 'spare' }, body: {}, ifMatch: '*' })).body.code,
      'source_unavailable',
      operation,
    );
});
