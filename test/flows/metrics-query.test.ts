import t from 'tap';
import { API_KEY, cacheStatus, CLIENT_SECRET, startMetrics } from '../support/metrics-api.ts';

t.test('a back end exchanges its pair for a token, and the same question again is answered from memory', async (t) => {
  const { backend, postern, requestToken, query } = await startMetrics(t);
  const issued = await requestToken();
  t.equal(issued.status, 200);
  t.equal(issued.headers.get('cache-control'), 'no-store');
  t.ok(issued.headers.get('x-request-id'));
  const { accessToken, tokenType, expiresIn } = (await issued.json()) as Record<string, string>;
  t.same([tokenType, expiresIn], ['Bearer', 900]);
  t.equal(backend.requests.length, 0, 'a pair is never forwarded');

  const first = await query(accessToken as string);
  t.same([first.status, cacheStatus(first)], [200, 'postern; fwd=miss; stored']);
  const second = await query(accessToken as string);
  t.match(cacheStatus(second), /^postern; hit; ttl=(300|299)$/);
  t.match(second.headers.get('age'), /^[01]$/);
  t.equal(await second.text(), await first.text());
  const fields = (answer: Response) =>
    [...answer.headers].filter(([name]) => !['age', 'cache-status', 'x-request-id'].includes(name));
  t.same(fields(second), fields(first));
  t.not(second.headers.get('x-request-id'), first.headers.get('x-request-id'));
  t.equal(backend.requests.length, 1);
  t.equal(backend.requests[0]?.headers.authorization, undefined);
  t.equal(backend.requests[0]?.headers['postern-key-id'], 'dashboard');

  const other = await query(accessToken as string, { body: '{"variables":{"a":1}}' });
  t.equal(cacheStatus(other), 'postern; fwd=miss; stored');
  const refreshed = await query(accessToken as string, { headers: { 'cache-control': 'no-cache' } });
  t.equal(cacheStatus(refreshed), 'postern; fwd=request; stored');
  t.equal(backend.requests.length, 3);

  t.equal(await postern.metric('postern_tokens_issued_total{key="dashboard"}'), 1);
  for (const [result, count] of Object.entries({ hit: 1, miss: 2, refresh: 1, stale: 0, coalesced: 0, uncacheable: 0 }))
    t.equal(await postern.metric(`postern_cache_requests_total{result="${result}"}`), count, result);
  t.equal(await postern.metric('postern_cache_entries'), 2);
  t.ok((await postern.metric('postern_cache_bytes')) > 0);
  for (const secret of [CLIENT_SECRET, API_KEY, accessToken as string]) t.notMatch(postern.logText(), secret);
});

t.test('other requests under /metrics pass through uncached', async (t) => {
  const { backend, postern, obtainToken } = await startMetrics(t);
  const headers = { authorization: `Bearer ${await obtainToken()}` };
  for (let n = 0; n < 2; n++) {
    const answer = await fetch(`${postern.url}/metrics/query/1?a=1`, { headers });
    t.same([answer.status, cacheStatus(answer)], [200, null]);
  }
  t.equal(backend.requests.length, 2);
});

t.test('the bytes of a body reach the backend and come back as they are', async (t) => {
  const answerBytes = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
  const { backend, obtainToken, query } = await startMetrics(t, {
    respond: (_req, res) => void res.writeHead(200, { 'X-A': 'caf\u00e9' }).end(answerBytes),
  });
  const token = await obtainToken();
  const body = '{"n": 1.0, "big": 12345678901234567890, "n": -0}';
  for (let n = 0; n < 2; n++) {
    const answer = await query(token, { body, path: '/metrics/query/daily?x=%20' });
    t.same(Buffer.from(await answer.arrayBuffer()), answerBytes);
  }
  t.equal(backend.requests.length, 1);
  t.equal(backend.requests[0]?.body.toString(), body);
  t.equal(backend.requests[0]?.url, '/metrics/query/daily?x=%20');
});

t.test('an unreachable backend is a problem document that says what the cache did', async (t) => {
  const { obtainToken, query } = await startMetrics(t, { api: { upstream: 'http://127.0.0.1:1' } });
  const answer = await query(await obtainToken());
  t.same([answer.status, cacheStatus(answer)], [502, 'postern; fwd=miss']);
  t.match(await answer.json(), { code: 'upstream_unreachable' });
});

t.test('an expired answer is served while the backend fails, if the operator said so', async (t) => {
  let now = Date.now();
  let fails = false;
  const { obtainToken, query } = await startMetrics(t, {
    now: () => now,
    api: { cache: { staleIfErrorMinutes: 1 }, token: { ttlSeconds: 3600 } },
    respond: (_req, res) => void res.writeHead(fails ? 500 : 200).end(fails ? 'down' : 'answer'),
  });
  const token = await obtainToken();
  await (await query(token)).text();
  fails = true;
  now += 330_000;
  const stale = await query(token);
  t.same(
    [stale.status, await stale.text(), cacheStatus(stale), stale.headers.get('age')],
    [200, 'answer', 'postern; hit; ttl=-30; detail=stale-if-error', '330'],
  );
  now += 31_000;
  t.same([(await query(token)).status], [500]);
});
