import { once } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import net from 'node:net';
import t from 'tap';
import { startMetrics } from '../support/metrics-api.ts';

const query = (port: number, token: string, agent: http.Agent): http.ClientRequest => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return http.request({ port, agent, method: 'POST', path: '/metrics/query', headers });
};

t.test('200 cold requests make one call; who goes away first harms nobody', async (t) => {
  const held: ServerResponse[] = [];
  const { backend, postern, obtainToken } = await startMetrics(t, { respond: (_req, res) => void held.push(res) });
  const token = await obtainToken();
  const agent = new http.Agent({ maxSockets: 300 });
  t.teardown(() => agent.destroy());
  const requests = Array.from({ length: 200 }, () => query(postern.port, token, agent));
  const answers = requests.map(async (request) => {
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return `${String(response.headers['cache-status'])} ${body}`;
  });
  const arrived = backend.next();
  const [first] = requests;
  first?.on('error', () => {});
  answers[0]?.catch(() => {});
  first?.end('{}');
  await arrived;
  for (const request of requests.slice(1)) request.end('{}');
  // All have been taken once they are counted; each scrape waits for the event loop, so this does not spin.
  while ((await postern.metric('postern_requests_in_flight{api="metrics"}')) < 200);
  first?.destroy();
  while ((await postern.metric('postern_requests_in_flight{api="metrics"}')) > 199);
  held[0]?.writeHead(200).end('answer');
  const got = await Promise.all(answers.slice(1));
  t.same(new Set(got), new Set(['postern; fwd=miss; collapsed answer']));
  t.equal(backend.requests.length, 1);
  t.equal(await postern.metric('postern_cache_requests_total{result="coalesced"}'), 199);
});

t.test('the call to the backend ends when nobody waits for it any more', async (t) => {
  let closed: () => void = () => {};
  const backendClosed = new Promise<void>((resolve) => (closed = resolve));
  const { backend, postern, obtainToken } = await startMetrics(t, {
    respond: (_req, res) => void res.on('close', closed),
  });
  const token = await obtainToken();
  const socket = net.connect(postern.port, '127.0.0.1');
  const arrived = backend.next();
  socket.write(
    `POST /metrics/query HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
  );
  await arrived;
  t.equal(await postern.metric('postern_requests_in_flight{api="metrics"}'), 1);
  socket.destroy();
  await backendClosed;
  while ((await postern.metric('postern_requests_in_flight{api="metrics"}')) > 0);
  t.equal(await postern.metric('postern_cache_entries'), 0, 'nothing of it is kept');
  t.equal(backend.requests.length, 1);
});
