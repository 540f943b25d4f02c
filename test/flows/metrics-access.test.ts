import t from 'tap';
import { sendRaw } from '../support/raw-http.ts';
import { API_KEY, CLIENT_SECRET, metricsKeyDefinition, startMetrics } from '../support/metrics-api.ts';

const from = (address: string) => ({ 'x-forwarded-for': address });
const codeOf = async (answer: Response): Promise<string> => ((await answer.json()) as { code: string }).code;

t.test('address and browser guard are judged on every call, before the cache is asked', async (t) => {
  const { backend, obtainToken, requestToken, query, postern } = await startMetrics(t, {
    key: { allowFrom: ['198.51.100.0/24'] },
    listen: { trustedProxies: ['127.0.0.1'] },
  });
  const inside = from('198.51.100.7');
  const token = await obtainToken(inside);
  t.equal((await query(token, { headers: inside })).status, 200);
  t.match((await query(token, { headers: inside })).headers.get('cache-status'), /hit/);
  const outside = await query(token, { headers: from('192.0.2.1') });
  t.same([outside.status, await codeOf(outside)], [403, 'ip_not_allowed']);
  const browser = await query(token, { headers: { ...inside, origin: 'https://example.com' } });
  t.same([browser.status, await codeOf(browser)], [403, 'browser_not_allowed']);

  t.equal(await codeOf(await requestToken(undefined, from('192.0.2.1'))), 'ip_not_allowed');
  t.equal(await codeOf(await requestToken(undefined, { ...inside, 'sec-fetch-site': 'none' })), 'browser_not_allowed');
  const wrong = { clientSecret: 'wrong', environmentApiKey: API_KEY };
  const [here, there] = [await requestToken(wrong, inside), await requestToken(wrong, from('192.0.2.1'))];
  const told = async (answer: Response) => ({ ...((await answer.json()) as object), requestId: '' });
  t.same([here.status, there.status], [401, 401]);
  t.same(await told(here), await told(there), 'a wrong pair tells nothing about addresses');
  t.equal(backend.requests.length, 1);
  t.equal(
    await postern.metric('postern_rejections_total{api="metrics",key="",reason="invalid_client",mode="enforce"}'),
    2,
  );
});

t.test('the secret and the API key are no access tokens', async (t) => {
  const { backend, query } = await startMetrics(t);
  for (const credential of [CLIENT_SECRET, API_KEY]) {
    const answer = await query(credential);
    t.same([answer.status, await codeOf(answer)], [401, 'invalid_credential']);
  }
  t.equal(backend.requests.length, 0);
});

t.test('a token ends with the secret that it came from, cached answers or not', async (t) => {
  const { backend, postern, obtainToken, query } = await startMetrics(t);
  const token = await obtainToken();
  t.equal((await query(token)).status, 200);
  postern.writeKeys([metricsKeyDefinition({ secrets: [{ value: 'another-secret-of-the-dashboard' }] })]);
  await postern.sidecar.reload();
  const after = await query(token);
  t.same([after.status, await codeOf(after)], [401, 'invalid_credential']);
  postern.writeKeys([metricsKeyDefinition({ enabled: false })]);
  await postern.sidecar.reload();
  t.equal((await query(token)).status, 401);
  t.equal(backend.requests.length, 1);
});

t.test('a token ends with its time', async (t) => {
  let now = Date.now();
  const { obtainToken, query } = await startMetrics(t, { now: () => now });
  const token = await obtainToken();
  now += 898_000;
  t.equal((await query(token)).status, 200);
  now += 2000;
  t.equal((await query(token)).status, 401);
});

t.test('after ten failures an address waits until the minute is over; others do not', async (t) => {
  let now = Date.now();
  const { requestToken } = await startMetrics(t, { now: () => now, listen: { trustedProxies: ['127.0.0.1'] } });
  for (let n = 0; n < 10; n++)
    t.equal(
      (await requestToken({ clientSecret: `wrong ${n}`, environmentApiKey: API_KEY }, from('192.0.2.1'))).status,
      401,
    );
  const blocked = await requestToken(undefined, from('192.0.2.1'));
  t.equal(blocked.status, 429);
  t.equal(blocked.headers.get('retry-after'), '60');
  t.equal(blocked.headers.get('cache-control'), 'no-store');
  t.equal((await requestToken(undefined, from('192.0.2.2'))).status, 200);
  now += 60_000;
  t.equal((await requestToken(undefined, from('192.0.2.1'))).status, 200);
});

t.test('the token endpoint is never forwarded, in no spelling and with no method', async (t) => {
  const { backend, postern, obtainToken } = await startMetrics(t);
  const authorization = `Bearer ${await obtainToken()}`;
  const pair = JSON.stringify({ clientSecret: CLIENT_SECRET, environmentApiKey: API_KEY });
  const headers = { 'content-type': 'application/json', authorization };
  for (const path of [
    '/metrics/auth/token',
    '/METRICS/auth/Token/',
    '/metrics/auth/token?x=1',
    '/metrics/%61uth/token',
  ]) {
    t.equal((await fetch(postern.url + path, { method: 'POST', headers, body: pair })).status, 200, path);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await fetch(postern.url + path, { method, headers: { authorization } });
      t.ok(answer.status >= 400, `${method} ${path}`);
      await answer.text();
    }
  }
  t.equal(backend.requests.length, 0);
});

t.test('a key in report mode reaches the backend each time that it is used from a wrong address', async (t) => {
  const { backend, obtainToken, query, postern } = await startMetrics(t, {
    key: { allowFrom: ['198.51.100.0/24'], mode: 'report' },
    listen: { trustedProxies: ['127.0.0.1'] },
  });
  const outside = from('192.0.2.1');
  const token = await obtainToken(outside);
  const answers = [await query(token, { headers: outside }), await query(token, { headers: outside })];
  t.same(await Promise.all(answers.map((answer) => answer.text())), ['{"answer":1}', '{"answer":2}']);
  t.equal(backend.requests.length, 2);
  t.same(
    postern.lines.filter(({ msg }) => msg === 'would_reject').map(({ reason }) => reason),
    ['ip_not_allowed', 'ip_not_allowed', 'ip_not_allowed'],
  );
  const inside = from('198.51.100.7');
  t.equal(await (await query(token, { headers: inside })).text(), '{"answer":3}', 'nothing of it was kept');
  t.equal(await (await query(token, { headers: inside })).text(), '{"answer":3}', 'but what passes is');
});

t.test('failures by form and by HTTP Basic are counted with those in JSON', async (t) => {
  const { postern } = await startMetrics(t);
  const form = 'application/x-www-form-urlencoded';
  const basic = `Basic ${Buffer.from(`${API_KEY}:wrong`).toString('base64')}`;
  const ask = async (body: string, headers: Record<string, string>) =>
    (await fetch(`${postern.url}/metrics/auth/token`, { method: 'POST', headers, body })).status;
  const grant = 'grant_type=client_credentials';
  for (let n = 0; n < 5; n++) {
    t.equal(await ask(`${grant}&client_id=${API_KEY}&client_secret=wrong`, { 'content-type': form }), 401);
    t.equal(await ask(grant, { 'content-type': form, authorization: basic }), 401);
  }
  t.equal(await ask(`${grant}&client_id=${API_KEY}&client_secret=${CLIENT_SECRET}`, { 'content-type': form }), 429);
  t.equal(await ask(grant, { 'content-type': form, authorization: basic }), 429);
});

t.test('ten failures and a token both outlive a reload', async (t) => {
  const { postern, backend, obtainToken, query, requestToken } = await startMetrics(t, {
    listen: { trustedProxies: ['127.0.0.1'] },
  });
  const token = await obtainToken();
  for (let n = 0; n < 10; n++)
    await requestToken({ clientSecret: 'wrong', environmentApiKey: API_KEY }, from('192.0.2.1'));
  for (const ttlSeconds of [600, 900]) {
    postern.writeConfig({
      listen: { trustedProxies: ['127.0.0.1'] },
      apis: { metrics: { upstream: backend.url, token: { ttlSeconds } } },
    });
    await postern.sidecar.reload();
    t.equal((await requestToken(undefined, from('192.0.2.1'))).status, 429);
    t.equal((await query(token)).status, 200);
  }
  t.ok(postern.lines.filter(({ msg }) => msg === 'config_reloaded').length >= 2, 'both were read');
  t.equal(postern.lines.filter(({ msg }) => msg === 'token_secret_made_at_start').length, 1, 'and warned of once');
});

t.test('a foreign Host finds neither the metrics API nor its token endpoint', async (t) => {
  const { postern, obtainToken } = await startMetrics(t, { api: { hosts: ['metrics.test', '127.0.0.1'] } });
  const token = await obtainToken();
  const ask = async (host: string, path: string) => {
    const body = path.endsWith('token')
      ? JSON.stringify({ clientSecret: CLIENT_SECRET, environmentApiKey: API_KEY })
      : '{}';
    const answer = await sendRaw(
      postern.port,
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    return answer.status;
  };
  for (const path of ['/metrics/query', '/metrics/query/a']) {
    t.equal(await ask('metrics.test', path), 200);
    t.equal(await ask('METRICS.test:8080', path), 200);
    t.equal(await ask('other.test', path), 404);
    t.equal(await ask('metrics.test.evil.test', path), 404);
  }
});
