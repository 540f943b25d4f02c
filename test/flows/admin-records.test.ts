/** Policies and address lists over the admin API, with a key file: what each operation answers, and what it means at once. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const CREATE = { headers: { 'if-none-match': '*' } };
const partner = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  policy: 'partners',
  secrets: [{ value: `secret-of-${id}` }],
  ...more,
});

async function started(t: Test) {
  const backend = await startBackend(t);
  const apis = { integration: { upstream: backend.url, denyFrom: [{ list: 'blocked' }] } };
  const postern = await startPostern(t, {
    config: { admin: { token: ADMIN_TOKEN }, apis },
    keys: [partner('one'), partner('two', { type: 'read-write', disallowedEvents: 'reject' })],
    records: {
      policies: { partners: { type: 'read-only', allowFrom: [{ list: 'office' }] }, spare: { mode: 'report' } },
      addressLists: { office: ['127.0.0.1'], blocked: [], cdn: { file: 'cdn.txt' } },
    },
    files: { 'cdn.txt': '198.51.100.0/24 # edge\n203.0.113.7\n' },
  });
  const { call, document } = await adminClient(t, postern.adminUrl);
  const statusOf = async (id: string, method = 'GET'): Promise<number> =>
    (await fetch(`${postern.url}/profile/u1`, { method, headers: { authorization: `Bearer secret-of-${id}` } })).status;
  const etagOf = async (path: string): Promise<string> => (await call('GET', path)).headers.get('etag') ?? '';
  return { ...postern, call, document, statusOf, etagOf };
}

t.test('policies: created, changed for every key at once, removed only when nobody uses them', async (t) => {
  const { call, statusOf, etagOf, keysFile, lines } = await started(t);
  const list = await call('GET', '/api/policies');
  t.same(
    list.body.policies.map(({ name, usedBy }: { name: string; usedBy: { keys: string[] } }) => [name, usedBy.keys]),
    [
      ['partners', ['one', 'two']],
      ['spare', []],
    ],
  );
  const path = '/api/policies/partners';
  const { body, headers } = await call('GET', path);
  t.same(
    { ...body, usedBy: null },
    { name: 'partners', type: 'read-only', allowFrom: [{ list: 'office' }], usedBy: null },
  );
  t.equal(body.usedBy.total, 2);
  t.same([await statusOf('one'), await statusOf('one', 'DELETE')], [204, 403]);

  const ifMatch = headers.get('etag') ?? '';
  t.equal((await call('PUT', path, { body })).status, 428);
  t.equal((await call('PUT', path, { body, ifMatch: '"other"' })).status, 412);
  t.equal((await call('PUT', path, { body, ...CREATE })).status, 412, 'it is there already');
  const changed = await call('PUT', path, { body: { ...body, type: 'read-write' }, ifMatch });
  t.equal(changed.status, 200);
  t.equal(changed.headers.get('etag'), await etagOf(path));
  t.equal(await statusOf('one', 'DELETE'), 204, 'live before the answer');

  const inUse = await call('DELETE', path, { ifMatch: await etagOf(path) });
  t.same([inUse.status, inUse.body.code], [409, 'in_use']);
  t.match(inUse.body.detail, /the key one, the key two/);

  const made = await call('PUT', '/api/policies/new', { body: { type: 'write-only' }, ...CREATE });
  t.equal(made.status, 201);
  t.match(readFileSync(keysFile, 'utf8'), /new: \{ type: write-only \}|new:\n/);
  t.equal((await call('DELETE', '/api/policies/new', { ifMatch: '*' })).status, 204);
  t.equal((await call('GET', '/api/policies/new')).status, 404);
  t.equal((await call('DELETE', '/api/policies/new', { ifMatch: '*' })).status, 404);
  t.equal((await call('PUT', '/api/policies/new', { body: {}, ifMatch: '*' })).status, 404);
  t.same(
    lines.filter(({ msg }) => msg === 'audit').map(({ action, policy, fields }) => [action, policy, fields]),
    [
      ['replace_policy', 'partners', ['type']],
      ['create_policy', 'new', ['type']],
      ['delete_policy', 'new', []],
    ],
  );
});

t.test('what would make a key unusable, or names what is not there, is refused with its findings', async (t) => {
  const { call, keysFile, etagOf } = await started(t);
  const before = readFileSync(keysFile, 'utf8');
  const put = async (name: string, body: unknown) => {
    const path = `/api/policies/${name}`;
    const answer = await call('PUT', path, { body, ifMatch: await etagOf(path) });
    const findings = (answer.body.findings ?? []) as { field: string; message: string }[];
    return [answer.status, findings.map(({ field }) => field), findings[0]?.message];
  };
  const [status, fields, message] = await put('partners', { type: 'metrics' });
  t.equal(status, 422);
  t.ok((fields as string[]).every((field) => /^keys\.(one|two)\b/.test(field)) && (fields as string[]).length > 0);
  t.type(message, 'string');
  t.same((await put('partners', { mode: 'report' })).slice(0, 2), [422, ['keys.one.type']], 'a type must come');
  t.same((await put('spare', { allowFrom: [{ list: 'offise' }] })).slice(0, 2), [422, ['allowFrom[0].list']]);
  t.match((await put('spare', { allowFrom: [{ list: 'offise' }] }))[2], /did you mean "office"/);
  t.match((await put('spare', { apis: ['integrations'] }))[2], /did you mean "integration"/);
  t.same((await put('spare', { secrets: [] })).slice(0, 2), [422, ['secrets']]);
  t.same((await put('spare', { name: 'other' })).slice(0, 2), [422, ['name']], 'nothing is renamed');
  t.same((await call('PUT', '/api/policies/Bad', { body: {}, ...CREATE })).body.findings[0].field, 'name');
  const key = await call('GET', '/api/keys/one');
  for (const more of [{ policy: 'partner' }, { apis: ['x'] }, { denyFrom: [{ list: 'x' }] }]) {
    const ifMatch = key.headers.get('etag') ?? '';
    t.equal((await call('PUT', '/api/keys/one', { body: { ...key.body, ...more }, ifMatch })).status, 422);
  }
  t.equal(readFileSync(keysFile, 'utf8'), before);
});

t.test('address lists: literal ones are changed, those of files show what was read', async (t) => {
  const { call, statusOf, etagOf, lines } = await started(t);
  t.equal(await statusOf('one'), 204);
  const path = '/api/lists/office';
  const office = await call('GET', path);
  t.same(office.body.entries, [{ address: '127.0.0.1', description: '' }]);
  t.same(office.body.usedBy, { keys: [], policies: ['partners'], configuration: [], total: 1 });
  const ifMatch = office.headers.get('etag') ?? '';
  const entries = [{ address: '192.0.2.1', description: 'Elsewhere' }];
  t.equal((await call('PUT', path, { body: { ...office.body, entries }, ifMatch })).status, 200);
  t.equal(await statusOf('one'), 403, 'the policy of the key names it');
  t.equal((await call('PUT', path, { body: ['127.0.0.0/8'], ifMatch: await etagOf(path) })).status, 200);
  t.equal(await statusOf('one'), 204);
  for (const name of ['office', 'blocked']) {
    const refused = await call('DELETE', `/api/lists/${name}`, { ifMatch: '*' });
    t.same([refused.status, refused.body.code], [409, 'in_use'], name);
  }
  const blocked = await call('GET', '/api/lists/blocked');
  t.same(blocked.body.usedBy.configuration, ['apis.integration.denyFrom']);
  const bad = await call('PUT', path, { body: { entries: ['1.2.3'] }, ifMatch: '*' });
  t.same([bad.status, bad.body.findings[0].field], [422, 'entries[0]']);

  const cdn = await call('GET', '/api/lists/cdn');
  t.same(
    [cdn.body.file, cdn.body.entries.map(({ address }: { address: string }) => address), cdn.body.total, cdn.body.up],
    ['cdn.txt', ['198.51.100.0/24', '203.0.113.7'], 2, true],
  );
  t.type(cdn.body.ageSeconds, 'number');
  const put = (body: unknown) => call('PUT', '/api/lists/cdn', { body, ifMatch: '*' });
  t.equal((await put(cdn.body)).status, 200, 'as it is shown');
  t.equal((await put({ ...cdn.body, entries: [] })).status, 422, 'its entries are those of the file');
  t.equal((await put({ file: 'keys.yaml' })).status, 200);
  const wrong = (await call('GET', '/api/lists/cdn')).body;
  t.same([wrong.up, wrong.why, wrong.total], [false, 'line 1 is no address', 2], 'nothing of the file is shown');
  t.same(wrong.entries, cdn.body.entries, 'what was read before serves');
  t.equal((await call('DELETE', '/api/lists/cdn', { ifMatch: '*' })).status, 204);
  const made = await call('PUT', '/api/lists/new', { body: ['2001:db8::/32'], ...CREATE });
  t.same([made.status, made.body.total], [201, 1]);
  t.same(
    (await call('GET', '/api/lists')).body.lists.map(({ name }: { name: string }) => name),
    ['office', 'blocked', 'new'],
  );
  t.same(lines.filter(({ msg }) => msg === 'audit').at(-1)?.['list'], 'new');
});

t.test('routes are listed by API', async (t) => {
  const { call } = await started(t);
  const [api] = (await call('GET', '/api/apis')).body.apis;
  t.same([api.name, api.paths, api.unlisted, api.tokens], ['integration', ['/'], 'allow', false]);
  t.ok(api.routes.some(({ method, events }: { method: string; events: boolean }) => method === 'POST' && events));
});
