/** What operators see through the admin API: refusals listed, counted and streamed, explanations, configuration, state. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import t, { type Test } from 'tap';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startBackend } from '../support/backend.ts';
import { API_KEY, CLIENT_SECRET, metricsKeyDefinition } from '../support/metrics-api.ts';
import { startPostern } from '../support/postern.ts';

const KEYS = [
  { id: 'server', type: 'read-write', secret: 'the-secret-of-the-server', allowFrom: ['203.0.113.7'] },
  { id: 'tried', type: 'write-only', secret: 'the-secret-of-the-trial', allowFrom: ['203.0.113.8'], mode: 'report' },
];

async function started(t: Test) {
  const backend = await startBackend(t);
  const apis = { integration: { upstream: backend.url, authorization: 'Bearer the-credential-of-the-backend' } };
  const admin = { token: ADMIN_TOKEN };
  const config = { admin, apis, redis: { password: 'redis-pass' } };
  // A minute that turns within a test would make a summary another one.
  const at = Date.now();
  const postern = await startPostern(t, { config, keys: KEYS, now: () => at });
  const { call } = await adminClient(t, postern.adminUrl);
  const ask = async (secret: string, init: RequestInit = {}): Promise<number> =>
    (await fetch(`${postern.url}/profile/u1?q=private`, { ...init, headers: { authorization: `Bearer ${secret}` } }))
      .status;
  return { ...postern, call, ask };
}

/** Opens the stream; `next` resolves to the data of the next event, `ended` when the stream does. */
async function openStream(adminUrl: string, query = '', headers: Record<string, string> = {}) {
  const sent = request(`${adminUrl}/api/rejections/stream${query}`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers },
  }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const events: Record<string, unknown>[] = [];
  let text = '';
  // Streams are also closed from this side.
  answer.on('error', () => undefined);
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      if (line.startsWith('data: ')) events.push(JSON.parse(line.slice(6)) as Record<string, unknown>);
      answer.emit('event', line);
    }
  });
  return {
    answer,
    sent,
    ended: new Promise<void>((resolve) => answer.on('close', resolve)),
    async next() {
      while (events.length === 0) await once(answer, 'event');
      return events.shift();
    },
  };
}

t.test('refusals are listed newest first, by key and by reason, with the fields of the log line', async (t) => {
  const { call, ask, lines } = await started(t);
  t.equal(await ask('the-secret-of-the-server'), 403);
  t.equal(await ask('unknown'), 401);
  t.equal(await ask('the-secret-of-the-trial', { method: 'POST' }), 204);
  const { body } = await call('GET', '/api/rejections');
  t.same(
    body.rejections.map(({ keyId, reason, mode }: Record<string, unknown>) => [keyId, reason, mode]),
    [
      ['tried', 'ip_not_allowed', 'report'],
      ['', 'unknown', 'enforce'],
      ['server', 'ip_not_allowed', 'enforce'],
    ],
  );
  const logged = lines.filter(({ msg }) => msg === 'rejected' || msg === 'would_reject').toReversed();
  t.same(body.rejections, logged);
  const reasons = async (query: string) =>
    (await call('GET', `/api/rejections?${query}`)).body.rejections.map(({ reason }: { reason: string }) => reason);
  t.same(await reasons('limit=1'), ['ip_not_allowed']);
  t.same(await reasons('key=server'), ['ip_not_allowed']);
  t.same(await reasons('key='), ['unknown']);
  t.same(await reasons('reason=unknown&limit=10'), ['unknown']);
  for (const query of ['limit=0', 'limit=x', 'limit=-1', 'key=a&key=b', 'keys=a'])
    t.equal((await call('GET', `/api/rejections?${query}`)).status, 422, query);
});

t.test('the summary counts by minute, report mode apart', async (t) => {
  const { call, ask } = await started(t);
  await ask('the-secret-of-the-server');
  await ask('the-secret-of-the-trial', { method: 'POST' });
  const before = await call('GET', '/api/summary');
  const { minutes, requests, top } = before.body;
  t.equal(minutes.length, 60);
  const total = (mode: string) => minutes.reduce((sum: number, minute: never) => sum + minute[mode]['total'], 0);
  t.same([total('enforce'), total('report')], [1, 1]);
  const [counted] = minutes.filter(({ report }: { report: { total: number } }) => report.total > 0);
  t.same(counted.report, { total: 1, byReason: { ip_not_allowed: 1 }, byKey: { tried: 1 } });
  t.same(requests, { total: 2, byKey: { server: 1, tried: 1 } });
  const valuesOf = (mode: string) => [top[mode].keys, top[mode].paths].map(([first]) => first.value);
  t.same(
    [valuesOf('enforce'), valuesOf('report')],
    [
      ['server', '/profile/u1'],
      ['tried', '/profile/u1'],
    ],
  );
  const etag = before.headers.get('etag') ?? '';
  t.equal((await call('GET', '/api/summary', { headers: { 'if-none-match': etag } })).status, 304);
  await ask('unknown');
  t.equal((await call('GET', '/api/summary', { headers: { 'if-none-match': etag } })).status, 200);
  t.equal((await call('GET', '/api/summary?minutes=1440')).body.minutes.length, 144);
  for (const query of ['minutes=0', 'minutes=1441', 'minutes=x', 'minutes=1&minutes=2', 'hours=1'])
    t.equal((await call('GET', `/api/summary?${query}`)).status, 422, query);
});

t.test('refusals are streamed as they come, by filter, whatever the last event was', async (t) => {
  const { adminUrl, ask } = await started(t);
  const all = await openStream(adminUrl, '', { 'last-event-id': 'x'.repeat(1000) });
  const some = await openStream(adminUrl, '?key=server');
  t.equal(all.answer.headers['content-type'], 'text/event-stream');
  t.equal(all.answer.headers['cache-control'], 'no-store, no-transform');
  await ask('unknown');
  await ask('the-secret-of-the-server');
  t.match(await all.next(), { reason: 'unknown' });
  t.match(await all.next(), { keyId: 'server', reason: 'ip_not_allowed', status: 403 });
  t.match(await some.next(), { keyId: 'server' });
  all.sent.destroy();
  some.sent.destroy();
});

t.test('streams are bounded in number, and a place is free again when one is closed', async (t) => {
  const { adminUrl, call } = await started(t);
  const streams = [];
  for (let i = 0; i < 32; i++) streams.push(await openStream(adminUrl));
  t.match((await call('GET', '/api/rejections/stream')).status, 503);
  for (const { sent } of streams) sent.destroy();
  await Promise.all(streams.map(({ ended }) => ended));
  let again = await openStream(adminUrl);
  // The server hears of a closed connection a moment after its client does.
  while (again.answer.statusCode === 503) again = await openStream(adminUrl);
  t.equal(again.answer.statusCode, 200);
  again.sent.destroy();
});

t.test('streams end when the process drains', async (t) => {
  const { adminUrl, sidecar } = await started(t);
  const { ended, answer } = await openStream(adminUrl);
  const drained = sidecar.drain({ announceMs: 0, graceMs: 60_000 });
  await ended;
  t.ok(answer.complete, 'properly, not broken off');
  await drained;
});

t.test('an explanation is 200 whatever the verdict, and does not repeat the secret', async (t) => {
  const { call } = await started(t);
  const question = { ip: '203.0.113.7', method: 'GET', path: '/profile/u1' };
  const explain = (more: object) => call('POST', '/api/explain', { body: { ...question, ...more } });
  const allowed = await explain({ key: 'the-secret-of-the-server' });
  t.match(allowed.body, { outcome: 'allowed', status: null, keyId: 'server' });
  t.notMatch(JSON.stringify(allowed.body), 'the-secret-of-the-server');
  t.same((await explain({ keyId: 'server' })).body, allowed.body);
  t.match((await explain({ keyId: 'server', ip: '::1' })).body, { outcome: 'refused', code: 'ip_not_allowed' });
  t.match((await explain({ keyId: 'server', origin: 'https://a.example' })).body, { code: 'browser_not_allowed' });
  const unknown = await explain({ key: 'a-secret-that-nobody-has' });
  t.match([unknown.status, unknown.body.code, unknown.body.status], [200, 'invalid_credential', 401]);
  t.notMatch(JSON.stringify(unknown.body), 'a-secret-that-nobody-has');
  const { steps } = (await explain({ keyId: 'nobody' })).body;
  const refusing = steps.find(({ verdict }: { verdict: string }) => verdict === 'refused');
  t.match([refusing.step, refusing.reason], ['credential', /no key in use/]);
  t.match((await explain({ keyId: 'tried', method: 'POST' })).body, { outcome: 'allowed' });
  t.match((await explain({})).body, { outcome: 'refused', status: 401, code: 'missing_credential', keyId: null });
  for (const bad of [
    { keyId: 'a', key: 'b' },
    { keyId: 'a', ip: '1.2' },
    { keyId: 'a', events: 'x' },
    { keyId: 'a', x: 1 },
  ])
    t.equal((await explain(bad)).status, 422, JSON.stringify(bad));
});

t.test('the configuration is shown without a secret', async (t) => {
  const { call } = await started(t);
  const { status, body } = await call('GET', '/api/config');
  t.equal(status, 200);
  t.match(body, {
    admin: { token: '***' },
    apis: { integration: { authorization: '***' } },
    redis: { password: '***' },
  });
  for (const secret of [ADMIN_TOKEN, 'the-credential', 'redis-pass']) t.notMatch(JSON.stringify(body), secret);
});

t.test('the state of the process and of its keys', async (t) => {
  const { call, ask } = await started(t);
  await ask('the-secret-of-the-server');
  const { body } = await call('GET', '/api/status');
  t.match(body, {
    version: '0.0.0-test',
    keySource: { kind: 'file', up: true, why: null, readOnly: null },
    config: { lastReloadSuccessful: true },
    cache: null,
    keyCounts: { active: 2, disabled: 0, expired: 0, invalid: 0, warned: 1 },
    keys: [
      { id: 'server', state: 'active', secrets: [{ lastUsedAt: String }], warnings: [] },
      { id: 'tried', state: 'active', secrets: [{ lastUsedAt: null }], warnings: [{ message: /any web page/ }] },
    ],
  });
});

t.test('of ten thousand keys nobody needs to read more than one, nor what is the same', async (t) => {
  const { call } = await started(t);
  const idsOf = async (key: string) =>
    (await call('GET', `/api/status?key=${key}`)).body.keys.map(({ id }: { id: string }) => id);
  t.same(await idsOf('tried'), ['tried']);
  t.same(await idsOf(''), []);
  const etag = (await call('GET', '/api/status')).headers.get('etag') ?? '';
  t.equal((await call('GET', '/api/status', { headers: { 'if-none-match': etag } })).status, 304);
  t.equal((await call('GET', '/api/status?key=', { headers: { 'if-none-match': etag } })).status, 200);
  t.equal((await call('GET', '/api/status?keys=')).status, 422);
});

t.test('the cache is emptied on demand', async (t) => {
  const { call, lines } = await started(t);
  t.equal((await call('POST', '/api/cache/purge')).status, 204);
  t.match(lines.at(-1), { msg: 'audit', action: 'purge_cache', who: 'admin' });
  t.equal((await call('POST', '/api/cache/purge', { token: null })).status, 401);
});

t.test('what was purged is asked of the backend again', async (t) => {
  let computed = 0;
  const backend = await startBackend(t, (_req, res) => void res.end(String(++computed)));
  const postern = await startPostern(t, {
    config: { admin: { token: ADMIN_TOKEN }, apis: { metrics: { upstream: backend.url } } },
    keys: [metricsKeyDefinition()],
  });
  const { call } = await adminClient(t, postern.adminUrl);
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(postern.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const pair = { clientSecret: CLIENT_SECRET, environmentApiKey: API_KEY };
  const { accessToken } = (await (await post('/metrics/auth/token', pair)).json()) as { accessToken: string };
  const ask = async () => {
    const answer = await post('/metrics/query', {}, { authorization: `Bearer ${accessToken}` });
    return [await answer.text(), /^postern; (hit|fwd=miss)/.exec(answer.headers.get('cache-status') ?? '')?.[1]];
  };
  t.same(await ask(), ['1', 'fwd=miss']);
  t.same(await ask(), ['1', 'hit']);
  t.equal(await postern.metric('postern_cache_entries'), 1);
  t.equal((await call('POST', '/api/cache/purge')).status, 204);
  t.equal(await postern.metric('postern_cache_entries'), 0);
  t.equal(await postern.metric('postern_cache_bytes'), 0);
  t.same(await ask(), ['2', 'fwd=miss']);
  t.same(await ask(), ['2', 'hit']);
});
