import { once } from 'node:events';
import type net from 'node:net';
import t from 'tap';
import { startFlow, written } from '../support/flow.ts';
import { startMetrics } from '../support/metrics-api.ts';
import { answering, onRequest, rawBackend, RawClient } from '../support/upstream.ts';

const durations = (api: string) => `postern_upstream_duration_seconds_count{api="${api}"}`;
const requests = (api: string) => `postern_request_duration_seconds_count{api="${api}"}`;
const errors = (api: string, kind: string) => `postern_upstream_errors_total{api="${api}",kind="${kind}"}`;

async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setImmediate(resolve));
}

t.test('a query that the cache had to ask the backend for is timed, once for each call', async (t) => {
  let age = 0;
  let fails = false;
  const { backend, postern, obtainToken, query } = await startMetrics(t, {
    now: () => Date.now() + age,
    key: { cacheTtlMinutes: 5 },
    api: { cache: { staleIfErrorMinutes: 60 } },
    respond: (req, res) => {
      if (fails) return void res.destroy();
      const fields = req.body.includes('"no"') ? { 'cache-control': 'no-store' } : {};
      setTimeout(() => res.writeHead(200, fields).end('{}'), 20);
    },
  });
  const ask = async (body: string, headers: Record<string, string> = {}) =>
    await (await query(await obtainToken(), { body, headers })).arrayBuffer();
  await ask('{"a":1}');
  await ask('{"a":1}');
  t.equal(await postern.metric(durations('metrics')), 1, 'a miss counts, a hit does not');
  await Promise.all(Array.from({ length: 5 }, () => ask('{"a":2}')));
  t.equal(await postern.metric(durations('metrics')), 2, 'of those who waited together, one asked');
  await ask('{"a":1}', { 'cache-control': 'no-cache' });
  t.equal(await postern.metric(durations('metrics')), 3, 'a refresh');
  await ask('{"no":1}');
  t.equal(await postern.metric(durations('metrics')), 4, 'an answer that is not kept');
  t.equal(backend.requests.length, 4);
  fails = true;
  age = 6 * 60_000;
  await ask('{"a":1}');
  t.equal(await postern.metric('postern_cache_requests_total{result="stale"}'), 1);
  t.equal(await postern.metric(errors('metrics', 'reset')), 1, 'the failure that a kept answer stood in for');
  t.equal(await postern.metric(durations('metrics')), 4);
});

t.test('so is every request that the backend answered, however it ends', async (t) => {
  const cut = await answering(t, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 'reset');
  const { postern, raw } = await startFlow(t, { api: { upstream: cut.url } });
  await raw(written({ method: 'GET' }), { untilClose: true });
  await eventually(async () => (await postern.metric(requests('integration'))) === 1);
  t.equal(await postern.metric(durations('integration')), 1, 'an answer that broke off');
  t.equal(await postern.metric(errors('integration', 'truncated')), 1);

  const early = await rawBackend(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n'));
  });
  const { postern: second } = await startFlow(t, { api: { upstream: early.url, maxBodyBytes: 1000 } });
  const large = new RawClient(t, second.port);
  large.write(`${written({ fields: ['Transfer-Encoding: chunked'] }).toString()}1\r\nx\r\n`);
  await large.until('hi');
  large.write(`7d0\r\n${'x'.repeat(2000)}\r\n`);
  await large.closed;
  t.equal(await second.metric(durations('integration')), 1, 'a body that grew too large after the answer began');
  const leaving = new RawClient(t, second.port);
  leaving.write(written({ body: '{}' }).toString());
  await leaving.until('hi');
  leaving.socket.resetAndDestroy();
  await eventually(async () => (await second.metric(requests('integration'))) === 2);
  t.equal(await second.metric(durations('integration')), 2, 'a client that left within the answer');

  const silent = await rawBackend(t, (socket) => onRequest(socket, () => undefined));
  const { postern: third } = await startFlow(t, { api: { upstream: silent.url } });
  const unanswered = new RawClient(t, third.port);
  unanswered.write(written({ body: '{}' }).toString());
  while (silent.sockets.length === 0) await new Promise(setImmediate);
  unanswered.socket.resetAndDestroy();
  await once(silent.sockets[0] as net.Socket, 'close');
  await eventually(async () => (await third.metric(requests('integration'))) === 1);
  t.equal(await third.metric(durations('integration')), 0, 'but none without an answer');
});
