/** What clients do is counted as it happened: by key, address, route, event and origin, good apart from the rest. */
import { gzipSync } from 'node:zlib';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startObserving, type ObservingFlow } from '../support/observing.ts';

const SECRET = 'the-secret-of-the-application';
const LIMITED_SECRET = 'the-secret-of-the-limited-key';
const TRIED_SECRET = 'the-secret-of-the-key-on-trial';

const KEYS = [
  { id: 'app', type: 'read-write', secret: SECRET, allowBrowsers: true },
  { id: 'limited', type: 'write-only', secret: LIMITED_SECRET, allowedEvents: ['login', 'view'] },
  { id: 'tried', type: 'write-only', secret: TRIED_SECRET, allowedEvents: ['login'], allowFrom: [], mode: 'report' },
];

const NOON = Date.UTC(2026, 5, 1, 12);

const batch = (...names: readonly string[]): string =>
  JSON.stringify({ batch: names.map((event) => ({ event, secretProperty: 'marked-property' })) });

const good = <T extends { good: number; requests: number }>(list: readonly T[], name: keyof T): unknown[] =>
  list.map((one) => [one[name], one.requests, one.good]);

t.test('one sidecar', async (t) => {
  let now = NOON;
  const flow = await startObserving(t, { keys: KEYS, now: () => now });
  const { from, observed, call } = flow;
  const get = (address: string, target: string): Promise<unknown> =>
    from(address, { method: 'GET', target, secret: SECRET });

  await t.test('requests of a key, by address and route', async (t) => {
    for (const id of [1, 2, 3]) await get('203.0.113.7', `/v1/users/${id}`);
    now += 1000;
    await get('203.0.113.8', '/v1/users/4');
    await get('203.0.113.8', '/v1/reports/42/lines');
    await get('203.0.113.8', '/v1/missing');
    await get('203.0.113.9', '/v1/broken');
    const seen = await observed('/api/keys/app/observed');
    t.same([seen.requests, seen.good], [7, 5]);
    t.same(good(seen.addresses, 'address'), [
      ['203.0.113.7', 3, 3],
      ['203.0.113.8', 3, 2],
      ['203.0.113.9', 1, 0],
    ]);
    t.same(
      seen.routes.map(({ api, method, path, listed, good }) => [api, method, path, listed, good]),
      [
        ['integration', 'GET', '/v1/users/:id', true, 4],
        ['integration', 'GET', '/v1/reports/:id/lines', false, 1],
        ['integration', 'GET', '/v1/broken', false, 0],
        ['integration', 'GET', '/v1/missing', false, 0],
      ],
    );
    t.same(
      seen.refused.map(({ reason, requests }) => [reason, requests]),
      [
        ['backend_404', 1],
        ['backend_500', 1],
      ],
    );
    t.same(seen.peak, { perSecond: 4, perMinute: 7 }, 'good or not: a limit would have counted them all');
    t.same([seen.since, seen.until], [new Date(NOON).toISOString(), new Date(NOON + 1000).toISOString()]);
    t.equal(seen.addresses[1]?.firstSeen, new Date(NOON + 1000).toISOString());
  });

  await t.test('events of a limited key: those that passed, and those that were cut out or refused', async (t) => {
    const send = (body: string, target = '/v1/batch'): Promise<unknown> =>
      from('203.0.113.7', { target, secret: LIMITED_SECRET, body, fields: ['Content-Type: application/json'] });
    await send(batch('login', 'login', 'other'));
    await send(batch('login', 'view'));
    await send(batch('other'));
    await send(JSON.stringify({ event: 'wrong' }), '/v1/track');
    const seen = await observed('/api/keys/limited/observed');
    t.same(seen.peak, { perSecond: 4, perMinute: 4 }, 'also of those whose events were refused');
    t.same(good(seen.events, 'name'), [
      ['login', 2, 2],
      ['view', 1, 1],
      ['other', 2, 0],
      ['wrong', 1, 0],
    ]);
    t.same(seen.refused, [{ reason: 'event_not_allowed', requests: 2, lastSeen: new Date(now).toISOString() }]);
  });

  await t.test('events of a key that may send all, although nobody looks into its bodies', async (t) => {
    const send = (body: string | Buffer, fields: readonly string[] = []): Promise<unknown> =>
      from('203.0.113.7', {
        target: '/v1/batch',
        secret: SECRET,
        body,
        fields: ['Content-Type: application/json', ...fields],
      });
    await send(batch('signup', 'view', 'signup'));
    await send(gzipSync(batch('signup')), ['Content-Encoding: gzip']);
    const before = await observed('/api/keys/app/observed');
    t.same(good(before.events, 'name'), [
      ['signup', 2, 2],
      ['view', 1, 1],
    ]);
    t.same(before.obstacles, []);
    await send('{"batch":[{"event":"a"},');
    await send(batch('a'), ['Content-Encoding: br']);
    const after = await observed('/api/keys/app/observed');
    t.same(after.events, before.events);
    t.same(
      after.obstacles.map(({ reason, requests }) => [reason, requests]),
      [['unreadable_events', 2]],
    );
  });

  await t.test('events of a body that comes in pieces', async (t) => {
    const body = batch('streamed', 'slow');
    const { backend, postern } = flow;
    const request = http.request(`${postern.url}/v1/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json', 'content-length': body.length },
    });
    request.write(body.slice(0, 10));
    await new Promise((resolve) => setTimeout(resolve, 30));
    request.write(body.slice(10, 20));
    await new Promise((resolve) => setTimeout(resolve, 10));
    request.end(body.slice(20));
    await new Promise((resolve) => request.on('response', (answer) => answer.resume().on('end', resolve)));
    t.equal(backend.requests.at(-1)?.body.toString(), body, 'and nothing of it is changed');
    const { events } = await observed('/api/keys/app/observed');
    t.same(
      events.filter(({ name }) => name === 'streamed' || name === 'slow').map(({ good }) => good),
      [1, 1],
    );
  });

  await t.test('report mode: what would have been refused is good, if it was answered well', async (t) => {
    const send = (target: string, body: string): Promise<unknown> =>
      from('192.0.2.1', { target, secret: TRIED_SECRET, body, fields: ['Content-Type: application/json'] });
    await send('/v1/batch', batch('login', 'other'));
    await send('/v1/track', '{"event":"third"}');
    await send('/v1/missing', '{"event":"x"}');
    const seen = await observed('/api/keys/tried/observed');
    t.same([seen.requests, seen.good], [3, 2]);
    t.same(good(seen.events, 'name'), [
      ['login', 1, 1],
      ['other', 1, 1],
      ['third', 1, 1],
    ]);
    t.same(good(seen.addresses, 'address'), [['192.0.2.1', 3, 2]]);
  });

  await t.test('origins of pages; a page that names none is no origin', async (t) => {
    const page = (...fields: readonly string[]): Promise<unknown> =>
      from('203.0.113.7', { method: 'GET', target: '/v1/users/9', secret: SECRET, fields });
    await page('Origin: https://a.example');
    await page('Origin: https://a.example');
    await page('Origin: https://b.example', 'Sec-Fetch-Site: cross-site');
    await page('Sec-Fetch-Site: same-origin');
    const { origins } = await observed('/api/keys/app/observed');
    t.same(good(origins, 'origin'), [
      ['https://a.example', 2, 2],
      ['https://b.example', 1, 1],
    ]);
  });

  await t.test('a stranger teaches nothing', async (t) => {
    const before = await observed('/api/keys/app/observed');
    for (let i = 0; i < 20; i++) await from(`198.51.100.${i}`, { secret: `made-up-${i}`, target: `/stranger/${i}` });
    t.same(await observed('/api/keys/app/observed'), before);
    const unknown = await observed('/api/apis/integration/observed');
    t.equal(unknown.requests, 0);
  });

  await t.test('days, and what is not there', async (t) => {
    now += 3 * 86_400_000;
    await get('203.0.113.7', '/v1/users/5');
    t.equal((await observed('/api/keys/app/observed?days=1')).requests, 1);
    t.ok((await observed('/api/keys/app/observed?days=4')).requests > 10);
    t.equal(
      (await observed('/api/keys/app/observed')).requests,
      (await observed('/api/keys/app/observed?days=90')).requests,
    );
    for (const days of ['0', '91', '-1', '1.5', 'x', ''])
      t.equal((await call('GET', `/api/keys/app/observed?days=${days}`)).status, 422, days);
    t.equal((await call('GET', '/api/keys/nobody/observed')).status, 404);
    t.equal((await call('GET', '/api/apis/nothing/observed')).status, 404);
    t.equal((await call('GET', '/api/keys/app/observed', { token: null })).status, 401);
  });
});

t.test('callers without a key, of an API in report mode', async (t) => {
  const flow = await startObserving(t, { keys: KEYS, api: { enforcement: 'report' }, now: () => NOON });
  await flow.from('203.0.113.7', { method: 'GET', target: '/old/items/77', secret: null });
  await flow.from('203.0.113.7', { method: 'DELETE', target: '/old/items/78', secret: 'unknown' });
  await flow.from('203.0.113.9', {
    target: '/v1/track',
    secret: null,
    body: '{"event":"anonymous"}',
    fields: ['Content-Type: application/json'],
  });
  await flow.from('203.0.113.9', { method: 'GET', target: '/old/missing', secret: null });
  const seen = await flow.observed('/api/apis/integration/observed');
  t.same([seen.requests, seen.good], [4, 3]);
  t.same(seen.routes.map(({ method, path, listed, good }) => `${method} ${path} ${listed} ${good}`).toSorted(), [
    'DELETE /old/items/:id false 1',
    'GET /old/items/:id false 1',
    'GET /old/missing false 0',
    'POST /v1/track true 1',
  ]);
  t.same(
    seen.events.map(({ name }) => name),
    ['anonymous'],
  );
  await flow.from('203.0.113.7', { method: 'GET', target: '/old/items/79', secret: SECRET });
  const { body } = await flow.call('GET', '/api/apis/integration/observed?callers=all');
  const items = (body as { routes: { method: string; path: string; good: number; keys: string[] }[] }).routes.find(
    ({ method, path }) => method === 'GET' && path === '/old/items/:id',
  );
  t.same([items?.good, items?.keys], [2, ['', 'app']]);
});

t.test('where nothing is observed, the operations say so', async (t) => {
  const flow = await startObserving(t, { keys: KEYS, observe: { enabled: false } });
  for (const path of ['/api/keys/app/observed', '/api/keys/app/suggestion', '/api/apis/integration/observed']) {
    const { status, body } = await flow.call('GET', path);
    t.same([status, (body as { code: string }).code], [409, 'not_observing'], path);
  }
  t.equal((await flow.call('POST', '/api/keys/app/what-if', { body: { type: 'read-write' } })).status, 409);
});

t.test('5,000 made-up values', async (t) => {
  const flow = await startObserving(t, { keys: KEYS, now: () => NOON });
  await flow.from('203.0.113.7', {
    target: '/v1/track',
    secret: SECRET,
    body: '{"event":"real"}',
    fields: ['Content-Type: application/json'],
  });
  await poison(flow);
  const seen = await flow.observed('/api/keys/app/observed');
  t.ok(
    seen.events.some(({ name, good }) => name === 'real' && good === 1),
    'what was known stays',
  );
  t.ok(seen.events.length <= 512);
  t.equal(seen.events.filter(({ good }) => good > 0).length, 256);
  t.equal(seen.truncated.events, 5001 - 256);
  t.equal(await flow.postern.metric('postern_observed_truncated_total{key="app"}'), 5001 - 256);
  const { body } = await flow.call('GET', '/api/keys/app/suggestion');
  t.equal((body as { notSuggested: Record<string, string> }).notSuggested['allowedEvents'], 'truncated');
});

/** Ten batches, each of 500 names that nobody else sends. */
async function poison({ from }: ObservingFlow): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const names = Array.from({ length: 500 }, (_, j) => `made-up-${i}-${j}`);
    await from('203.0.113.7', {
      target: '/v1/batch',
      secret: SECRET,
      body: batch(...names),
      fields: ['Content-Type: application/json'],
    });
  }
}

t.test('nothing but names reaches the file: no secret, query, header or body', async (t: Test) => {
  const folder = t.testdir();
  const path = join(folder, 'observed.json');
  const flow = await startObserving(t, { keys: KEYS, observe: { store: `file:${path}` } });
  await flow.from('203.0.113.7', {
    target: '/v1/track?ip=marked-query',
    secret: SECRET,
    body: '{"event":"view","secretProperty":"marked-property"}',
    fields: ['Content-Type: application/json', 'X-Marked: marked-header', 'Cookie: marked-cookie'],
  });
  await flow.from('203.0.113.7', { target: '/v1/track?api_key=marked-query', secret: 'marked-secret', body: '{}' });
  await flow.postern.sidecar.drain({ announceMs: 0, graceMs: 60_000 });
  t.same(readdirSync(folder), ['observed.json']);
  const text = readFileSync(path, 'utf8');
  t.match(text, /"view"/);
  for (const marked of ['marked-', SECRET]) t.notOk(text.includes(marked), marked);
});
