/** The history of changes with a key file: made over the admin API, and by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startPostern } from '../support/postern.ts';
import { eventually } from '../support/eventually.ts';

const ANNA = 'the-token-of-anna-who-changes';
const BEA = 'the-token-of-bea-who-looks';
const tokens = [
  { id: 'anna', role: 'editor', value: ANNA },
  { id: 'bea', role: 'viewer', value: BEA },
];
const { adminUrl, keysFile, logText, writeKeys } = await startPostern(t, {
  config: { admin: { token: ADMIN_TOKEN, tokens }, apis: { integration: { upstream: 'http://127.0.0.1:9' } } },
  keys: [{ id: 'web', type: 'write-only', secret: 'the-secret-of-web' }],
});
const { call } = await adminClient(t, adminUrl);

const history = async (query = '') => (await call('GET', `/api/history${query}`, { token: BEA })).body;
/** Who did what to what, newest first. */
const told = async (query = '') =>
  ((await history(query)).changes as { who: string; action: string; target: string }[]).map(
    ({ who, action, target }) => `${who} ${action} ${target}`,
  );

await t.test('a start is no change, and each change is told once, with its fields', async (t) => {
  t.same(await history(), { changes: [], why: null });
  const created = await call('POST', '/api/keys', { body: { id: 'new', type: 'read-only' }, token: ANNA });
  const ifMatch = created.headers.get('etag') ?? '';
  const body = { ...created.body.key, allowFrom: ['192.0.2.1'], description: 'A new one' };
  t.equal((await call('PUT', '/api/keys/new', { body, ifMatch, token: ANNA })).status, 200);
  const rotated = await call('POST', '/api/keys/new/secrets', { body: { overlapSeconds: 60 } });
  t.equal(
    (await call('PUT', '/api/lists/office', { body: ['192.0.2.0/24'], headers: { 'if-none-match': '*' } })).status,
    201,
  );
  t.equal((await call('DELETE', '/api/keys/new', { ifMatch: '*' })).status, 204);
  t.same(await told(), [
    'admin delete_key new',
    'admin create_list office',
    'admin rotate_secret new',
    'anna replace_key new',
    'anna create_key new',
  ]);
  const { changes } = await history('?key=new&limit=3');
  t.equal(changes.length, 3);
  t.same(changes[2].fields, {
    allowFrom: { before: 'anywhere', after: [{ address: '192.0.2.1', description: '' }] },
    description: { before: '', after: 'A new one' },
  });
  t.same([changes[2].address, changes[2].kind], ['127.0.0.1', 'key']);
  t.same(changes[1].fields.secrets.after.map(({ id }: { id: string }) => id)[1], rotated.body.id);
  const text = JSON.stringify(await history());
  for (const secret of [created.body.secret, rotated.body.secret, ANNA, 'sha256:']) t.notMatch(text, secret);
});

await t.test('it is asked for one key, one admin, or so many; a refusal and no change leave nothing', async (t) => {
  const before = await told();
  t.same(await told('?who=anna'), ['anna replace_key new', 'anna create_key new']);
  t.same(await told('?who=admin&key=new&limit=1'), ['admin delete_key new']);
  t.same(await told('?key=office'), [], 'a list is no key');
  for (const query of ['?limit=0', '?limit=x', '?key=a&key=b', '?since=1'])
    t.equal((await call('GET', `/api/history${query}`)).status, 422, query);
  const { body, headers } = await call('GET', '/api/keys/web');
  const ifMatch = headers.get('etag') ?? '';
  t.equal((await call('PUT', '/api/keys/web', { body, ifMatch })).status, 200, 'nothing changes');
  t.equal((await call('PUT', '/api/keys/web', { body: { ...body, allowFrom: ['x'] }, ifMatch })).status, 422);
  t.equal((await call('PUT', '/api/keys/web', { body, ifMatch, token: BEA })).status, 403);
  t.equal((await call('POST', '/api/cache/purge')).status, 204);
  t.same(await told(), before);
});

await t.test('a change by hand is told as that of the file, once, and undoing is one more change', async (t) => {
  writeFileSync(
    keysFile,
    readFileSync(keysFile, 'utf8').replace('type: write-only', 'type: write-only\n    enabled: false'),
  );
  await eventually(async () => (await told())[0] === 'file replace_key web', 'the change to be seen');
  const [seen] = (await history()).changes;
  t.same(seen.fields, { enabled: { before: true, after: false } });
  t.equal(seen.address, null);
  const { body, headers } = await call('GET', '/api/keys/web');
  const undone = { ...body, enabled: seen.fields.enabled.before };
  t.equal((await call('PUT', '/api/keys/web', { body: undone, ifMatch: headers.get('etag') ?? '' })).status, 200);
  t.same((await told()).slice(0, 2), ['admin replace_key web', 'file replace_key web']);
  writeKeys([{ id: 'web', type: 'write-only', secret: 'the-secret-of-web' }], { policies: { p: { mode: 'report' } } });
  await eventually(async () => (await told('?who=file')).length === 3, 'the list to go and the policy to come');
  t.same((await told()).slice(0, 2).toSorted(), ['file create_policy p', 'file delete_list office']);
  t.equal((await told()).length, 9, 'nothing is told twice');
  t.notMatch(logText(), /"level":"error"/);
});
