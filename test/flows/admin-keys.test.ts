/** Keys through the admin API, with a key file: what each operation answers, and what the data port does with it at once. */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const SECRET = 'the-secret-of-the-server';
const SERVER = { id: 'server', type: 'read-write', secrets: [{ value: SECRET }], allowFrom: ['127.0.0.1'] };

async function started(t: Test, keys: readonly Record<string, unknown>[] = [SERVER]) {
  const backend = await startBackend(t);
  const apis = { integration: { upstream: backend.url }, metrics: { upstream: backend.url } };
  const postern = await startPostern(t, { config: { admin: { token: ADMIN_TOKEN }, apis }, keys });
  const { call } = await adminClient(t, postern.adminUrl);
  /** The status of a request with this secret on the data port. */
  const statusOf = async (secret: string, path = '/profile/u1'): Promise<number> =>
    (await fetch(postern.url + path, { headers: { authorization: `Bearer ${secret}` } })).status;
  return { ...postern, call, statusOf };
}

t.test('a key is created, and its secret works at once and is shown once', async (t) => {
  const { call, statusOf, keysFile, logText, lines } = await started(t);
  const created = await call('POST', '/api/keys', {
    body: { id: 'new', type: 'read-write', allowFrom: ['127.0.0.0/8'] },
  });
  t.equal(created.status, 201);
  t.equal(created.headers.get('location'), '/api/keys/new');
  t.match(created.body.secret, /^pstn_rw_/);
  t.equal(await statusOf(created.body.secret), 204);
  const shown = await call('GET', '/api/keys/new');
  t.same(shown.body, created.body.key);
  t.equal(shown.headers.get('etag'), created.headers.get('etag'));
  t.match(shown.body.secrets, [{ id: /^[0-9a-f]{12}$/, expiresAt: null }]);
  const list = await call('GET', '/api/keys');
  t.same(
    list.body.keys.map((key: { id: string }) => key.id),
    ['server', 'new'],
  );
  for (const text of [readFileSync(keysFile, 'utf8'), logText(), JSON.stringify(list.body)])
    t.notMatch(text, created.body.secret);
  const [audit] = lines.filter(({ msg }) => msg === 'audit');
  t.match(audit, { action: 'create_key', who: 'admin', keyId: 'new', address: '127.0.0.1' });
  t.match(JSON.stringify(audit), '"secrets"');
});

t.test('an id is taken once', async (t) => {
  const { call } = await started(t);
  const again = await call('POST', '/api/keys', { body: { id: 'server', type: 'write-only' } });
  t.match([again.status, again.body.code], [409, 'id_taken']);
});

t.test('every mistake of a definition is told, in the words of postern check', async (t) => {
  const { call, keysFile } = await started(t);
  const before = readFileSync(keysFile);
  const bad = { id: 'B', type: 'metrics', allowFrom: ['1.2.3', '10.0.0.1/8'], cacheTtlMinutes: 4, allowedEvent: [] };
  const { status, body } = await call('POST', '/api/keys', { body: bad });
  t.equal(status, 422);
  t.equal(body.code, 'invalid_definition');
  t.same(body.findings.map(({ field }: { field: string }) => field).sort(), [
    'allowFrom[0]',
    'allowFrom[1]',
    'allowedEvent',
    'cacheTtlMinutes',
    'id',
  ]);
  const [misspelt] = body.findings.filter(({ field }: { field: string }) => field === 'allowedEvent');
  t.match(misspelt.message, /^allowedEvent is not a known field; did you mean "allowedEvents"\?$/);
  const etag = (await call('GET', '/api/keys/server')).headers.get('etag') ?? '';
  const put = await call('PUT', '/api/keys/server', {
    body: { type: 'read-write', cacheTtlMinutes: 5 },
    ifMatch: etag,
  });
  t.same(put.body.findings, [
    { field: 'cacheTtlMinutes', message: 'cacheTtlMinutes is only for metrics keys; remove it.' },
  ]);
  for (const body of [[], 'null', '"x"', { secret: 'x', id: 'x', type: 'read-write' }])
    t.equal((await call('POST', '/api/keys', { body })).status, 422);
  t.same(readFileSync(keysFile), before);
});

t.test('a definition as it is listed can be put back, and a change is live at once', async (t) => {
  const { call, statusOf, keysFile } = await started(t);
  const shown = await call('GET', '/api/keys/server');
  const etag = shown.headers.get('etag') ?? '';
  const before = readFileSync(keysFile);
  const same = await call('PUT', '/api/keys/server', { body: shown.body, ifMatch: etag });
  t.equal(same.status, 200);
  t.same(same.body, shown.body);
  t.equal(same.headers.get('etag'), etag);
  t.same(readFileSync(keysFile), before, 'nothing changed, and nothing was written');

  t.equal(await statusOf(SECRET), 204);
  const { secrets: _secrets, ...without } = shown.body;
  const allowFrom = [{ address: '203.0.113.7', description: 'Office' }];
  const put = await call('PUT', '/api/keys/server', { body: { ...without, allowFrom }, ifMatch: etag });
  t.equal(put.status, 200);
  t.same(put.body.allowFrom, allowFrom);
  t.same(put.body.secrets, shown.body.secrets, 'the secrets stay');
  t.not(put.headers.get('etag'), etag);
  t.equal(await statusOf(SECRET), 403, 'known, but not from here');

  const back = await call('PUT', '/api/keys/server', {
    body: { ...without, secrets: [], allowFrom: [...allowFrom, '127.0.0.1'] },
    ifMatch: put.headers.get('etag') ?? '',
  });
  t.same(back.body.secrets, shown.body.secrets);
  t.equal(await statusOf(SECRET), 204);
});

t.test('secrets and ids cannot be changed by replacing a definition', async (t) => {
  const { call, statusOf } = await started(t);
  const { body } = await call('GET', '/api/keys/server');
  for (const change of [
    { id: 'other' },
    { secret: 'mine' },
    { secrets: [{ value: 'mine' }] },
    { secrets: [{ id: '0'.repeat(12), expiresAt: null }] },
    { secrets: [{ ...body.secrets[0], expiresAt: '2000-01-01T00:00:00Z' }] },
    { secrets: 'none' },
    { apiKey: 'x' },
  ]) {
    const answer = await call('PUT', '/api/keys/server', { body: { ...body, ...change }, ifMatch: '*' });
    t.equal(answer.status, 422, JSON.stringify(change));
  }
  t.equal(await statusOf(SECRET), 204);
});

t.test('changes are conditional', async (t) => {
  const { call } = await started(t);
  const { body, headers } = await call('GET', '/api/keys/server');
  for (const method of ['PUT', 'DELETE']) {
    const sent = method === 'PUT' ? { body } : {};
    t.equal((await call(method, '/api/keys/nobody', { ...sent, ifMatch: '*' })).status, 404);
    t.equal((await call(method, '/api/keys/server', sent)).status, 428);
    for (const ifMatch of ['"0"', 'W/"0"', 'nonsense'])
      t.equal((await call(method, '/api/keys/server', { ...sent, ifMatch })).status, 412, ifMatch);
  }
  t.equal((await call('GET', '/api/keys/nobody')).status, 404);
  const ifMatch = `"0", ${headers.get('etag')}`;
  t.equal((await call('PUT', '/api/keys/server', { body: { ...body, description: 'x' }, ifMatch })).status, 200);
  t.equal((await call('DELETE', '/api/keys/server', { ifMatch })).status, 412);
  t.equal((await call('DELETE', '/api/keys/server', { ifMatch: '*' })).status, 204);
  t.equal((await call('GET', '/api/keys/server')).status, 404);
});

t.test('a deleted key is unknown at once', async (t) => {
  const { call, statusOf } = await started(t);
  t.equal((await call('DELETE', '/api/keys/server', { ifMatch: '*' })).status, 204);
  t.equal(await statusOf(SECRET), 401);
  t.same((await call('GET', '/api/keys')).body.keys, []);
});

t.test('a secret is rotated: the old one ends after the overlap, or at once', async (t) => {
  const { call, statusOf, keysFile } = await started(t);
  const overlapping = await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 3600 } });
  t.equal(overlapping.status, 201);
  t.match(overlapping.body.secret, /^pstn_rw_/, 'it says of what type its key is');
  t.equal(await statusOf(SECRET), 204);
  t.equal(await statusOf(overlapping.body.secret), 204);
  const { secrets } = (await call('GET', '/api/keys/server')).body;
  t.equal(secrets.length, 2);
  const left = Date.parse(secrets[0].expiresAt) - Date.now();
  t.ok(left > 3_500_000 && left <= 3_600_000);
  t.match(secrets[1], { id: overlapping.body.id, expiresAt: null });
  t.match(readFileSync(keysFile, 'utf8'), SECRET, 'the old one is kept as it was written');

  const atOnce = await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 0 } });
  t.equal(await statusOf(SECRET), 401);
  t.equal(await statusOf(overlapping.body.secret), 401);
  t.equal(await statusOf(atOnce.body.secret), 204);
  await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 60 } });
  const ids = (await call('GET', '/api/keys/server')).body.secrets.map(({ id }: { id: string }) => id);
  t.equal(ids.length, 2, 'those that were over are gone');
  t.equal(ids[0], atOnce.body.id);
});

t.test('an overlap is bounded, and a longer one does not lengthen a shorter', async (t) => {
  const { call } = await started(t);
  for (const body of [
    {},
    { overlapSeconds: -1 },
    { overlapSeconds: 0.5 },
    { overlapSeconds: 1e9 },
    { overlapSeconds: '1' },
    { overlapSeconds: 1, x: 1 },
  ])
    t.equal((await call('POST', '/api/keys/server/secrets', { body })).status, 422, JSON.stringify(body));
  t.equal((await call('POST', '/api/keys/nobody/secrets', { body: { overlapSeconds: 1 } })).status, 404);
  t.equal(
    (await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 1 }, ifMatch: '"0"' })).status,
    412,
  );
  await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 60 } });
  const [first] = (await call('GET', '/api/keys/server')).body.secrets;
  await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 7_776_000 } });
  t.same((await call('GET', '/api/keys/server')).body.secrets[0], first);
});

t.test('a secret is removed at once, but never the last one', async (t) => {
  const { call, statusOf } = await started(t);
  const [old] = (await call('GET', '/api/keys/server')).body.secrets;
  const last = await call('DELETE', `/api/keys/server/secrets/${old.id}`);
  t.match([last.status, last.body.code], [409, 'last_secret']);
  const { body } = await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 3600 } });
  t.equal((await call('DELETE', `/api/keys/server/secrets/${old.id}`)).status, 204);
  t.equal(await statusOf(SECRET), 401);
  t.equal(await statusOf(body.secret), 204);
  t.equal((await call('DELETE', `/api/keys/server/secrets/${old.id}`)).status, 404);
  t.equal((await call('DELETE', `/api/keys/nobody/secrets/${old.id}`)).status, 404);
});

t.test('a metrics key gets an API key beside its secret, and there is only one', async (t) => {
  const { call, url } = await started(t);
  const created = await call('POST', '/api/keys', { body: { id: 'metrics', type: 'metrics', cacheTtlMinutes: 7 } });
  t.equal(created.status, 201);
  const pair = { clientSecret: created.body.secret, environmentApiKey: created.body.apiKey };
  const token = (): Promise<Response> =>
    fetch(`${url}/metrics/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(pair),
    });
  t.equal((await token()).status, 200);
  const second = await call('POST', '/api/keys', { body: { id: 'second', type: 'metrics', apiKey: 'my-own' } });
  t.equal(second.status, 422);
  t.match(second.body.findings, [{ field: 'type', message: /^type cannot be metrics: .*metrics is it\.$/ }]);
  const { body, headers } = await call('GET', '/api/keys/metrics');
  const put = await call('PUT', '/api/keys/metrics', {
    body: { ...body, cacheTtlMinutes: 9 },
    ifMatch: headers.get('etag') ?? '',
  });
  t.equal(put.body.cacheTtlMinutes, 9);
  t.equal((await token()).status, 200, 'the API key stays');
  const changed = await call('PUT', '/api/keys/metrics', {
    body: { ...body, apiKey: 'another-api-key' },
    ifMatch: '*',
  });
  t.not(changed.body.apiKey.id, body.apiKey.id);
  t.equal((await token()).status, 401);
});

t.test('comments, order and quoting of the file survive, and its mode', async (t) => {
  const { call, keysFile, sidecar, lines } = await started(t);
  const text = `# Keys of the shop
keys:
  # Back ends
  - id: "server" # quoted
    type: read-write
    secret: ${SECRET}
    allowFrom:
      - 127.0.0.1 # here
`;
  writeFileSync(keysFile, text);
  chmodSync(keysFile, 0o640);
  await sidecar.reload();
  const { body } = await call('GET', '/api/keys/server');
  const loaded = lines.filter(({ msg }) => msg === 'keys_loaded').length;
  const allowFrom = [...body.allowFrom, { address: '::1', description: 'IPv6' }];
  t.equal((await call('PUT', '/api/keys/server', { body: { ...body, allowFrom }, ifMatch: '*' })).status, 200);
  t.equal(readFileSync(keysFile, 'utf8'), `${text}      - { address: '::1', description: IPv6 }\n`);
  t.equal(statSync(keysFile).mode & 0o777, 0o640);
  t.equal(lines.filter(({ msg }) => msg === 'keys_loaded').length, loaded + 1, 'it is read once');
});

t.test('a read-only file stays as it is, and says so', async (t) => {
  const { call, keysFile } = await started(t);
  const before = readFileSync(keysFile);
  const { body } = await call('GET', '/api/keys/server');
  chmodSync(keysFile, 0o444);
  const refused = [
    await call('POST', '/api/keys', { body: { id: 'new', type: 'write-only' } }),
    await call('PUT', '/api/keys/server', { body, ifMatch: '*' }),
    await call('PUT', '/api/keys/server', { body }),
    await call('DELETE', '/api/keys/server', { ifMatch: '*' }),
    await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 0 } }),
    await call('DELETE', `/api/keys/server/secrets/${body.secrets[0].id}`),
  ];
  for (const answer of refused) t.match([answer.status, answer.body.code], [409, 'read_only']);
  t.equal((await call('GET', '/api/keys')).status, 200);
  t.match((await call('GET', '/api/status')).body.keySource, { readOnly: /read-only/ });
  t.same(readFileSync(keysFile), before);
});

t.test('two people who edit at once: the second learns of it, and nothing is lost', async (t) => {
  const { call } = await started(t);
  const { body, headers } = await call('GET', '/api/keys/server');
  const ifMatch = headers.get('etag') ?? '';
  const put = (change: object) => call('PUT', '/api/keys/server', { body: { ...body, ...change }, ifMatch });
  const statuses = (
    await Promise.all([put({ description: 'a' }), put({ enabled: false }), put({ mode: 'report' })])
  ).map(({ status }) => status);
  t.same(
    statuses.toSorted((a, b) => a - b),
    [200, 412, 412],
  );
  const ids = Array.from({ length: 8 }, (_, i) => `key-${i}`);
  const created = await Promise.all(ids.map((id) => call('POST', '/api/keys', { body: { id, type: 'write-only' } })));
  t.ok(created.every(({ status }) => status === 201));
  const list = await call('GET', '/api/keys');
  t.same(list.body.keys.map(({ id }: { id: string }) => id).toSorted(), [...ids, 'server'].toSorted());
});

t.test('a file that an editor left broken is not touched', async (t) => {
  const { call, keysFile } = await started(t);
  writeFileSync(keysFile, 'keys:\n  - id: [\n');
  t.equal((await call('GET', '/api/keys')).status, 503);
  const answer = await call('POST', '/api/keys', { body: { id: 'new', type: 'write-only' } });
  t.match([answer.status, answer.body.code], [503, 'source_unavailable']);
  t.equal(readFileSync(keysFile, 'utf8'), 'keys:\n  - id: [\n');
});

t.test('what is sent to the API never becomes a reference', async (t) => {
  const { call, keysFile } = await started(t);
  const description = '${HOME} $${HOME} ${file:/etc/hostname}';
  const created = await call('POST', '/api/keys', { body: { id: 'new', type: 'write-only', description } });
  t.equal(created.body.key.description, description);
  const { body } = await call('GET', '/api/keys/new');
  t.equal(body.description, description);
  const put = await call('PUT', '/api/keys/new', { body: { ...body, allowedEvents: ['${HOME}'] }, ifMatch: '*' });
  t.same(put.body.allowedEvents, ['${HOME}']);
  t.match(readFileSync(keysFile, 'utf8'), /\$\$\{HOME\}/);
});

t.test('what tells of every key is written in parts, and has a tag', async (t) => {
  const keys = Array.from({ length: 450 }, (_, i) => ({ id: `key-${i}`, type: 'read-only', secret: `${SECRET}-${i}` }));
  const { call } = await started(t, keys);
  for (const path of ['/api/keys', '/api/keys?of=inForce', '/api/status']) {
    const { status, headers, body } = await call('GET', path);
    t.same([status, headers.get('transfer-encoding'), body.keys.length], [200, 'chunked', 450], path);
    const tag = headers.get('etag') ?? '';
    t.equal((await call('GET', path, { headers: { 'if-none-match': tag } })).status, 304, path);
    const head = await call('HEAD', path);
    t.same([head.status, head.headers.get('etag'), head.body], [200, tag, undefined], path);
  }
});
