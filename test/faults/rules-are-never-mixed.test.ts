import net from 'node:net';
import t, { type Test } from 'tap';
import { field } from '../support/attack.ts';
import { startBackend, type Backend } from '../support/backend.ts';
import { startPostern, type Postern } from '../support/postern.ts';
import { changeKeys, definitionOf, digest } from '../support/redis-keys.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { RawClient } from '../support/upstream.ts';

const SECRET = 'secret-that-each-version-of-the-key-has';
const RELOADS = 60;

/** Everything that a version of the rules decides, recognisable at the backend. */
const version = (name: 'old' | 'new', upstream: string) => ({
  config: { apis: { integration: { upstream, authorization: `Bearer of-${name}` } } },
  keys: [{ id: name, type: 'write-only', secret: SECRET, allowedEvents: [name] }],
});

t.test(`${RELOADS} reloads under load fail no request, and none is judged by two versions of the rules`, async (t) => {
  const backend = await startBackend(t);
  const versions = (['old', 'new'] as const).map((name) => version(name, backend.url));
  const postern = await startPostern(t, versions[0] as (typeof versions)[0]);
  const body = '{"events":[{"name":"old"},{"name":"new"}]}';
  const head = `POST /event/ingest/batch HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRET}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const load = { over: false };
  const statuses = new Map<string, number>();
  const client = async (): Promise<void> => {
    const socket = net.connect(postern.port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    t.teardown(() => socket.destroy());
    while (!load.over) {
      // The head is judged by the rules of its time; the body comes after the next reload.
      socket.write(head + body.slice(0, 10));
      await new Promise((resolve) => setTimeout(resolve, 2));
      socket.write(body.slice(10));
      const answer = await new Promise<string>((resolve, reject) => {
        socket.once('data', resolve);
        socket.once('close', () => reject(new Error('closed')));
      });
      statuses.set(answer.slice(9, 12), (statuses.get(answer.slice(9, 12)) ?? 0) + 1);
      socket.removeAllListeners('close');
    }
  };
  const clients = Array.from({ length: 8 }, client);
  for (let n = 1; n <= RELOADS; n++) {
    const { config, keys } = versions[n % 2] as (typeof versions)[0];
    const begunAt = performance.now();
    postern.writeConfig(config);
    postern.writeKeys(keys);
    await postern.sidecar.reload();
    // Reloads rest between them. One that is asked for meanwhile would leave the two files to their watchers, each at its own time.
    await new Promise((resolve) => setTimeout(resolve, 25 + 2 * (performance.now() - begunAt)));
  }
  load.over = true;
  await Promise.all(clients);
  t.same([...statuses.keys()], ['204']);
  const seen = new Set(
    backend.requests.map((request) =>
      [field(request, 'postern-key-id'), field(request, 'authorization'), request.body.toString()].join(' '),
    ),
  );
  t.same([...seen].toSorted(), [
    'new Bearer of-new {"events":[{"name":"new"}]}',
    'old Bearer of-old {"events":[{"name":"old"}]}',
  ]);
});

/** A sidecar with its keys in Redis, which finds them in a body too, before a backend that answers 204. */
async function startWithRedis(
  t: Test,
  keys: Readonly<Record<string, string>>,
): Promise<{ readonly redis: RedisServer; readonly postern: Postern; readonly backend: Backend }> {
  const redis = await startRedis(t);
  await changeKeys(redis.admin, { set: keys });
  const backend = await startBackend(t);
  const apis = {
    integration: { upstream: backend.url, credential: ['bearer', 'body:api_key'] },
    metrics: { upstream: backend.url, token: { secret: 't'.repeat(32) } },
  };
  const postern = await startPostern(t, {
    config: { apis, keys: { source: 'redis' }, redis: { url: redis.url } },
    keys: [],
  });
  await postern.ready();
  return { redis, postern, backend };
}

/** Sends all of a request but the last bytes of its body; `rest` sends those and resolves with the whole answer. */
async function sendSlowly(t: Test, port: number, head: readonly string[], body: string) {
  const client = new RawClient(t, port);
  const lines = ['Host: a', 'Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close'];
  client.write([...head, ...lines, 'Expect: 100-continue', '', body.slice(0, -5)].join('\r\n'));
  // By then the request was judged as far as it can be without its body.
  await client.until('100 Continue');
  return {
    rest: async (): Promise<string> => {
      client.write(body.slice(-5));
      await client.closed;
      return client.text.replace('HTTP/1.1 100 Continue\r\n\r\n', '');
    },
  };
}

const INGEST = 'POST /event/ingest/batch HTTP/1.1';
const QUIET = { type: 'write-only', disallowedEvents: 'remove' };
/** What was allowed, and what is while the body is on its way: fewer addresses and more events. */
const WIDE = { ...QUIET, allowFrom: ['127.0.0.1'], allowedEvents: ['old'] };
const NARROW = { ...QUIET, allowFrom: ['192.0.2.1'], allowedEvents: ['old', 'new'] };
const batch = (secret: string | null, ...names: readonly string[]): string =>
  JSON.stringify({ ...(secret && { api_key: secret }), events: names.map((name) => ({ name })) });

t.test('keys from Redis that change during a body do not change what its request is judged by', async (t) => {
  const { redis, postern, backend } = await startWithRedis(t, { web: definitionOf('web', WIDE) });
  const secret = 'secret-of-web';
  const places: readonly (readonly [string, readonly string[], string | null])[] = [
    ['in the header', [INGEST, `Authorization: Bearer ${secret}`], null],
    ['in the body', [INGEST], secret],
    ['in both', [INGEST, `Authorization: Bearer ${secret}`], secret],
  ];
  const cases = places.flatMap(([name, head, inBody]) =>
    [['new'], ['old', 'new']].map((events) => ({
      name: `${name}, ${events.join()}`,
      head,
      body: batch(inBody, ...events),
    })),
  );
  const slow = [];
  for (const { head, body } of cases) slow.push(await sendSlowly(t, postern.port, head, body));
  await changeKeys(redis.admin, { set: { web: definitionOf('web', NARROW) } });
  await eventually(async () => {
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    const answer = await fetch(`${postern.url}/event/ingest`, { method: 'POST', headers, body: '{"name":"old"}' });
    return (await answer.text()).includes('ip_not_allowed');
  }, 'the narrower addresses to hold');
  const before = backend.requests.length;
  for (const [n, { name, body }] of cases.entries()) {
    const answer = await (slow[n] as (typeof slow)[0]).rest();
    if (body.includes('old')) t.match(answer, /^HTTP\/1\.1 204 [\s\S]*Postern-Removed-Events: 1\r\n/, name);
    else t.match(answer, /^HTTP\/1\.1 403 [\s\S]*event_not_allowed/, name);
  }
  const bodies = backend.requests.slice(before).map(({ body }) => body.toString());
  t.same(new Set(bodies), new Set(['{"events":[{"name":"old"}]}']), 'never what only the newer definition allows');
});

t.test('a key that is removed, or comes, during a body is there, or not, as it was on arrival', async (t) => {
  const { redis, postern } = await startWithRedis(t, { old: definitionOf('old') });
  const profile = 'POST /profile HTTP/1.1';
  const send = (secret: string) => sendSlowly(t, postern.port, [profile], `{"api_key":"${secret}","a":1}`);
  const [old, fresh] = [await send('secret-of-old'), await send('secret-of-fresh')];
  await changeKeys(redis.admin, { set: { fresh: definitionOf('fresh') }, remove: ['old'] });
  await eventually(
    async () =>
      (await fetch(`${postern.url}/profile`, { headers: { authorization: 'Bearer secret-of-old' } })).status === 401,
    'the old key to be gone',
  );
  t.match(await old.rest(), /^HTTP\/1\.1 204 /);
  t.match(await fresh.rest(), /^HTTP\/1\.1 401 [\s\S]*invalid_credential/);
});

t.test('report mode that ends, or begins, during a body holds as it did on arrival', async (t) => {
  const limited = { ...QUIET, allowedEvents: ['old'] };
  const { redis, postern, backend } = await startWithRedis(t, {
    reporting: definitionOf('reporting', { ...limited, mode: 'report' }),
    enforcing: definitionOf('enforcing', limited),
  });
  const send = (id: string) =>
    sendSlowly(t, postern.port, [INGEST, `Authorization: Bearer secret-of-${id}`], batch(null, 'old', 'new'));
  const [reporting, enforcing] = [await send('reporting'), await send('enforcing')];
  await changeKeys(redis.admin, {
    set: {
      reporting: definitionOf('reporting', { ...limited, allowedEvents: [] }),
      enforcing: definitionOf('enforcing', { ...limited, mode: 'report' }),
    },
  });
  await eventually(async () => {
    const headers = { authorization: 'Bearer secret-of-reporting', 'content-type': 'application/json' };
    return (
      (await fetch(`${postern.url}/event/ingest`, { method: 'POST', headers, body: '{"name":"old"}' })).status === 403
    );
  }, 'report mode to end');
  const before = backend.requests.length;
  await reporting.rest();
  await enforcing.rest();
  t.same(
    backend.requests.slice(before).map(({ body }) => body.toString()),
    ['{"events":[{"name":"old"},{"name":"new"}]}', '{"events":[{"name":"old"}]}'],
  );
});

const metricsKey = (secret: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({
    type: 'metrics',
    apiKey: `sha256:${digest('api-key')}`,
    secrets: [{ hash: `sha256:${digest(secret)}` }],
    ...more,
  });

t.test('access tokens: a pair and a token are judged by the keys of their arrival', async (t) => {
  const { redis, postern, backend } = await startWithRedis(t, { dashboard: metricsKey('first') });
  const pair = (secret: string): string => JSON.stringify({ clientSecret: secret, environmentApiKey: 'api-key' });
  const obtain = async (secret: string): Promise<Response> =>
    fetch(`${postern.url}/metrics/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: pair(secret),
    });
  const askToken = (secret: string) => sendSlowly(t, postern.port, ['POST /metrics/auth/token HTTP/1.1'], pair(secret));
  const { accessToken } = (await (await obtain('first')).json()) as { accessToken: string };
  const query = (token: string) =>
    sendSlowly(t, postern.port, ['POST /metrics/query HTTP/1.1', `Authorization: Bearer ${token}`], '{"slow":true}');
  const [asked, tooEarly, first, second] = [
    await askToken('first'),
    await askToken('second'),
    // The first of these verifies a signature, the second finds the token verified.
    await query(accessToken),
    await query(accessToken),
  ];
  await changeKeys(redis.admin, { set: { dashboard: metricsKey('second', { allowFrom: ['127.0.0.1'] }) } });
  await eventually(async () => (await obtain('first')).status === 401, 'the first secret to be gone');
  const answer = await asked.rest();
  t.match(answer, /^HTTP\/1\.1 200 /, 'the pair was right when it came');
  t.match(await tooEarly.rest(), /^HTTP\/1\.1 401 [\s\S]*invalid_client/, 'and this one was not');
  for (const one of [first, second]) t.match(await one.rest(), /^HTTP\/1\.1 204 /);
  const issued = (JSON.parse(answer.slice(answer.indexOf('{'))) as { accessToken: string }).accessToken;
  const later = await fetch(`${postern.url}/metrics/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${issued}` },
    body: '{}',
  });
  t.equal(later.status, 401, 'what it was given opens nothing that the keys of now do not open');
  t.equal(backend.requests.length, 2);
});

t.test(
  'a query whose body is slow goes to the backend, by the cache and with the headers, of its arrival',
  async (t) => {
    const [old, fresh] = [await startBackend(t), await startBackend(t)];
    const config = (upstream: string, authorization: string) => ({
      apis: { metrics: { upstream, authorization, token: { secret: 't'.repeat(32) } } },
    });
    const key = { id: 'dashboard', type: 'metrics', apiKey: 'api-key', secret: SECRET };
    const postern = await startPostern(t, { config: config(old.url, 'old'), keys: [key] });
    const answer = await fetch(`${postern.url}/metrics/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ clientSecret: SECRET, environmentApiKey: 'api-key' }),
    });
    const { accessToken } = (await answer.json()) as { accessToken: string };
    const send = () =>
      sendSlowly(
        t,
        postern.port,
        ['POST /metrics/query HTTP/1.1', `Authorization: Bearer ${accessToken}`],
        '{"slow":true}',
      );
    const slow = await send();
    postern.writeConfig(config(fresh.url, 'fresh'));
    await postern.sidecar.reload();
    const later = await send();
    for (const one of [slow, later]) t.match(await one.rest(), /^HTTP\/1\.1 204 /);
    const sent = (backend: Backend) => backend.requests.map((request) => field(request, 'authorization'));
    t.same([sent(old), sent(fresh)], [['old'], ['fresh']]);
  },
);

t.test('a request that waits for a slow rate store goes on by the rules that it came with', async (t) => {
  const redis = await startRedis(t);
  const backend = await startBackend(t);
  const rateLimit = { requests: 1000, windowSeconds: 60 };
  const keyWith = (more: Record<string, unknown>) => ({
    id: 'web',
    type: 'write-only',
    secret: SECRET,
    rateLimit,
    ...more,
  });
  const narrow = { allowFrom: ['192.0.2.1'], allowedEvents: ['old', 'new'] };
  const postern = await startPostern(t, {
    config: {
      apis: { integration: { upstream: backend.url } },
      rateLimit: { store: 'redis' },
      redis: { url: redis.url },
    },
    keys: [keyWith({ allowedEvents: ['old'] })],
  });
  await eventually(
    async () => (await postern.metric('postern_redis_up{use="rate_limit"}')) === 1,
    'limits to be counted in Redis',
  );
  redis.freeze();
  t.teardown(() => redis.thaw());
  const body = batch(null, 'old', 'new');
  const client = new RawClient(t, postern.port);
  client.write(
    `${INGEST}\r\nHost: a\r\nAuthorization: Bearer ${SECRET}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  // A request that comes later has its answer: by then the first one waits for Redis.
  t.equal((await fetch(postern.url)).status, 401);
  postern.writeKeys([keyWith(narrow)]);
  await postern.sidecar.reload();
  await client.closed;
  t.match(client.text, /^HTTP\/1\.1 204 [\s\S]*Postern-Removed-Events: 1\r\n/);
  t.equal(backend.requests[0]?.body.toString(), '{"events":[{"name":"old"}]}');
});
