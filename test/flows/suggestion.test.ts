/** A suggestion that is taken over refuses nothing of what was seen, and refuses one step outside of it in each dimension. */
import t from 'tap';
import { parse } from 'yaml';
import { main } from '../../src/main.ts';
import { ADMIN_TOKEN } from '../support/admin-client.ts';
import { capturedIo } from '../support/command-io.ts';
import { codeOf, type WrittenRequest } from '../support/flow.ts';
import { startObserving } from '../support/observing.ts';
import type { Suggestion } from '../../src/observe/suggest.ts';
import type { WhatIf } from '../../src/observe/what-if.ts';

const SECRET = 'the-secret-of-the-application';
const READER_SECRET = 'the-secret-of-the-reader-of-it';
const KEYS = [
  { id: 'app', type: 'read-write', secret: SECRET },
  { id: 'reader', type: 'read-write', secret: READER_SECRET },
  { id: 'unused', type: 'read-write', secret: 'the-secret-that-nobody-uses' },
];

const JSON_TYPE = 'Content-Type: application/json';

interface Sent extends WrittenRequest {
  readonly address: string;
}

const track = (address: string, event: string): Sent => ({
  address,
  target: '/v1/track',
  secret: SECRET,
  body: JSON.stringify({ event }),
  fields: [JSON_TYPE],
});
const send = (address: string, ...events: readonly string[]): Sent => ({
  address,
  target: '/v1/batch',
  secret: SECRET,
  body: JSON.stringify({ batch: events.map((event) => ({ event })) }),
  fields: [JSON_TYPE],
});
const read = (address: string, target: string): Sent => ({ address, method: 'GET', target, secret: READER_SECRET });

/** Five clients: three that send, two that read. */
function traffic(): Sent[] {
  const requests: Sent[] = [];
  for (let i = 0; i < 60; i++)
    requests.push(
      track('203.0.113.7', ['login', 'view', 'buy'][i % 3] as string),
      send('203.0.113.8', 'view', `variant-${i % 4}`),
      send(`2001:db8:0:1::${(i % 20) + 1}`, 'view'),
      read('198.51.100.1', `/v1/users/${i}`),
      read('198.51.100.2', i % 2 === 0 ? '/reports/daily' : `/reports/${1000 + i}`),
    );
  return requests;
}

t.test('one sidecar', async (t) => {
  let now = Date.UTC(2026, 5, 1, 12);
  const flow = await startObserving(t, { keys: KEYS, now: () => (now += 50) });
  const { from, call, postern } = flow;
  const statusOf = async ({ address, ...request }: Sent): Promise<number> => (await from(address, request)).status;
  const refusalOf = async ({ address, ...request }: Sent): Promise<string> => codeOf(await from(address, request));
  const suggestionOf = async (id: string): Promise<Suggestion> =>
    (await call('GET', `/api/keys/${id}/suggestion`)).body as Suggestion;
  const asked = async (id: string, fields: object): Promise<WhatIf> => {
    const { secrets: _secrets, ...definition } = (await call('GET', `/api/keys/${id}`)).body as Record<string, unknown>;
    return (await call('POST', `/api/keys/${id}/what-if`, { body: { ...definition, ...fields } })).body as WhatIf;
  };
  const statuses = new Set<number>();
  for (const request of traffic()) statuses.add(await statusOf(request));
  t.same([...statuses], [200]);

  await t.test('what is suggested', async (t) => {
    const { fields, because, notSuggested, tooLittle } = await suggestionOf('app');
    t.equal(fields.type, 'write-only');
    t.same(fields.allowedRoutes, ['POST /v1/batch', 'POST /v1/track']);
    t.same(fields.allowFrom, ['2001:db8:0:1::/64', '203.0.113.7', '203.0.113.8']);
    t.same(
      new Set(fields.allowedEvents),
      new Set(['login', 'view', 'buy', 'variant-0', 'variant-1', 'variant-2', 'variant-3']),
    );
    t.same(fields.allowedOrigins, [], 'no page was seen, and a write-only key would be open to all');
    t.equal(fields.allowBrowsers, null, 'a write-only key has no such field');
    t.equal(fields.rateLimit?.windowSeconds, 60);
    t.same(notSuggested, {});
    t.match(tooLittle, /^Less than a day was observed: from 2026-06-01T12/);
    const [first] = because.allowedEvents ?? [];
    t.same([first?.value, first?.requests], ['view', 140]);
    t.same(
      because.allowFrom?.map(({ requests }) => requests),
      [60, 60, 60],
    );
    const reader = await suggestionOf('reader');
    t.equal(reader.fields.type, 'read-only');
    t.same(reader.fields.allowedRoutes, ['GET /v1/users/:id', 'GET /reports/:id', 'GET /reports/daily']);
    t.equal(reader.notSuggested.allowedEvents, 'nothing_seen');
    t.equal(reader.fields.allowedOrigins, undefined, 'pages may not use it anyhow');
    const unused = await suggestionOf('unused');
    t.same(unused.fields, {});
    t.match(unused.tooLittle, /^Only 0 good requests/);
  });

  await t.test('what it would have refused: nothing; and a narrower one, by what it lacks', async (t) => {
    t.same((await asked('app', (await suggestionOf('app')).fields)).wouldRefuse, []);
    t.same((await asked('reader', (await suggestionOf('reader')).fields)).wouldRefuse, []);
    const { requests, wouldRefuse } = await asked('app', {
      type: 'read-only',
      allowFrom: ['203.0.113.7'],
      allowedEvents: ['login', 'view', 'buy', 'variant-0', 'variant-1', 'variant-2'],
      rateLimit: { requests: 1, windowSeconds: 60 },
    });
    t.equal(requests, 180);
    t.same(
      wouldRefuse.filter(({ reason }) => reason !== 'rate_limited').map((one) => [one.reason, one.what, one.requests]),
      [
        ['ip_not_allowed', '203.0.113.8', 60],
        ...Array.from({ length: 20 }, (_, i) => `2001:db8:0:1::${(i + 1).toString()}`)
          .toSorted()
          .map((address) => ['ip_not_allowed', address, 3]),
        ['method_not_allowed', 'POST /v1/batch', 120],
        ['method_not_allowed', 'POST /v1/track', 60],
        ['event_not_allowed', 'variant-3', 15],
      ],
    );
    t.equal(wouldRefuse.at(-1)?.reason, 'rate_limited');
    t.same((await asked('app', { enabled: false })).wouldRefuse[0]?.requests, 180);
    t.same(
      (await asked('app', { apis: ['metrics'] })).wouldRefuse.map(({ reason }) => reason),
      ['unknown', 'unknown'],
    );
    t.equal((await call('POST', '/api/keys/app/what-if', { body: { type: 'nothing' } })).status, 422);
    t.equal((await call('POST', '/api/keys/nobody/what-if', { body: { type: 'read-only' } })).status, 404);
  });

  await t.test('the command prints it as YAML, each line with what it rests on', async (t) => {
    const run = async (...args: readonly string[]) => {
      const { io, out, err } = capturedIo({ env: { POSTERN_ADMIN_TOKEN: ADMIN_TOKEN } });
      const exit = await main(['suggest', '--admin', postern.adminUrl, ...args], io);
      return { exit, out: out.join('\n'), err: err.join('\n') };
    };
    const all = await run();
    t.equal(all.exit, 0);
    const { keys } = parse(all.out) as { keys: Record<string, unknown>[] };
    t.same(
      keys.map(({ id }) => id),
      ['app', 'reader', 'unused'],
    );
    t.same(keys[1]?.['allowedRoutes'], ['GET /v1/users/:id', 'GET /reports/:id', 'GET /reports/daily']);
    t.match(all.out, /- GET \/v1\/users\/:id # 60 good requests, last 2026-06-01T/);
    t.match(all.out, /# allowedEvents: not suggested, nothing of it was seen/);
    const one = await run('--key', 'reader', '--json');
    t.equal((JSON.parse(one.out) as { keys: { fields: { type: string } }[] }).keys[0]?.fields.type, 'read-only');
    const routes = await run('--api', 'integration');
    t.same((parse(routes.out) as { routes: unknown }).routes, [
      { method: 'GET', path: '/reports/:id' },
      { method: 'GET', path: '/reports/daily' },
      { method: 'POST', path: '/v1/batch' },
      { method: 'POST', path: '/v1/track' },
      { method: 'GET', path: '/v1/users/:id' },
    ]);
    t.match(routes.out, /\/v1\/batch } # 120 good requests, last .*; listed already/);
    t.same([(await run('--key', 'nobody')).exit, (await run('--api', 'nothing')).exit], [1, 1]);
    t.equal((await run('--key', 'app', '--api', 'integration')).exit, 2);
  });

  await t.test('taken over and replayed, nothing is refused; one step outside is', async (t) => {
    for (const id of ['app', 'reader']) {
      const before = await call('GET', `/api/keys/${id}`);
      const { secrets: _secrets, ...definition } = before.body as Record<string, unknown>;
      const { fields } = await suggestionOf(id);
      const taken = await call('PUT', `/api/keys/${id}`, {
        body: { ...definition, ...fields },
        ifMatch: before.headers.get('etag') ?? '',
      });
      t.equal(taken.status, 200);
    }
    const replayed = new Set<number>();
    for (const request of traffic()) replayed.add(await statusOf(request));
    t.same([...replayed], [200]);
    const steps: readonly (readonly [string, Sent])[] = [
      ['ip_not_allowed', track('203.0.113.9', 'view')],
      ['ip_not_allowed', track('2001:db8:0:2::1', 'view')],
      ['event_not_allowed', track('203.0.113.7', 'variant-4')],
      ['event_not_allowed', send('203.0.113.7', 'View')],
      ['method_not_allowed', { ...read('203.0.113.7', '/v1/users/1'), secret: SECRET }],
      ['route_not_allowed', { ...track('203.0.113.7', 'view'), target: '/v1/other' }],
      ['origin_not_allowed', { ...track('203.0.113.7', 'view'), fields: [JSON_TYPE, 'Origin: https://a.example'] }],
      ['route_not_allowed', read('198.51.100.1', '/reports/daily/1')],
      ['route_not_allowed', read('198.51.100.1', '/v1/users')],
      ['method_not_allowed', { ...read('198.51.100.1', '/v1/users/1'), method: 'DELETE' }],
    ];
    for (const [code, request] of steps) t.equal(await refusalOf(request), code, `${request.method} ${request.target}`);
    now += 3_600_000;
    let limited = '';
    for (let i = 0; i < 1000 && limited === ''; i++)
      limited = await refusalOf({ ...read('198.51.100.1', '/v1/users/1') });
    t.equal(limited, 'rate_limited');
  });
});
