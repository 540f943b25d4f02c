import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import t from 'tap';
import { createAdminServer } from '../../src/admin/server.ts';
import { createHealth } from '../../src/observability/health.ts';
import { metricsOver } from '../support/metrics.ts';

function adminServer(keysLoaded: () => boolean = () => true) {
  const health = createHealth(keysLoaded);
  const logged: unknown[] = [];
  const log = { error: (event: string, fields: unknown) => void logged.push([event, fields]) };
  const server = createAdminServer({ metrics: metricsOver(() => null), health, log, api: null });
  t.teardown(() => server.close());
  return { server, health, logged };
}

t.test('GET /metrics answers in the Prometheus text format', async (t) => {
  const answer = await adminServer().server.inject('/metrics');
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.match(answer.payload, '\npostern_build_info{version="1.2.3",node="v20.0.0"} 1\n');
  t.equal(answer.headers['vary'], 'Accept');
});

t.test('GET /metrics answers in OpenMetrics to whoever asks for it', async (t) => {
  const accept = 'application/openmetrics-text; version=1.0.0';
  const answer = await adminServer().server.inject({ url: '/metrics', headers: { accept } });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  t.match(answer.payload, '\npostern_build_info{version="1.2.3",node="v20.0.0"} 1\n');
  t.equal(answer.payload.slice(-6), '# EOF\n');
});

t.test('/healthz is 200 in every state, /readyz says why it is not ready', async (t) => {
  let loaded = false;
  const { server, health } = adminServer(() => loaded);
  const probe = async (url: string) => {
    const answer = await server.inject(url);
    t.equal(answer.headers['cache-control'], 'no-store');
    return [answer.statusCode, answer.json().status, typeof answer.json().reason];
  };
  t.same(await probe('/readyz'), [503, 'starting', 'string']);
  t.same(await probe('/healthz'), [200, 'ok', 'undefined']);
  loaded = true;
  t.same(await probe('/readyz'), [200, 'ready', 'undefined']);
  health.drain();
  t.same(await probe('/readyz'), [503, 'draining', 'string']);
  t.same(await probe('/healthz'), [200, 'ok', 'undefined']);
});

t.test('probes answer HEAD as well', async (t) => {
  const answer = await adminServer(() => false).server.inject({ method: 'HEAD', url: '/readyz' });
  t.equal(answer.statusCode, 503);
  t.equal(answer.payload, '');
});

t.test('an unknown path is a problem document that echoes nothing', async (t) => {
  const answer = await adminServer().server.inject('/nothing-here?token=s3cret');
  t.equal(answer.statusCode, 404);
  t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
  t.notMatch(answer.payload, 'nothing-here');
  t.notMatch(answer.payload, 's3cret');
});

t.test('what breaks inside is logged and not shown', async (t) => {
  const { server, logged } = adminServer();
  server.get('/broken', async () => {
    throw new Error('the inside');
  });
  const answer = await server.inject('/broken');
  t.equal(answer.statusCode, 500);
  t.notMatch(answer.payload, 'the inside');
  t.match(logged, [['admin_request_failed', { error: { message: 'the inside' } }]]);
});

t.test('a request that does not arrive ends in half a minute, and nothing holds up the end', async (t) => {
  const { server } = adminServer();
  t.equal(server.server.requestTimeout, 30_000);
  t.equal(server.initialConfig.bodyLimit, 1_048_576);
  t.equal(server.initialConfig.forceCloseConnections, true);
  t.equal(server.server.maxConnections, 1024);
});

t.test('a refusal of the server itself says what was wrong', async (t) => {
  const { server, logged } = adminServer();
  server.post('/there', async () => 'done');
  const post = (type: string, payload: string) =>
    server.inject({ method: 'POST', url: '/there', headers: { 'content-type': type }, payload });
  const problems: unknown[] = [];
  for (const answer of [
    await post('application/json', '{'),
    await post('text/strange', 'x'),
    await post('application/json', JSON.stringify('x'.repeat(2 ** 20))),
  ])
    problems.push([answer.statusCode, answer.json().code, answer.json().detail.startsWith('Something went wrong')]);
  t.same(problems, [
    [400, 'malformed_request', false],
    [415, 'unsupported_media_type', false],
    [413, 'body_too_large', false],
  ]);
  t.same(logged, []);
});

t.test('of many requests on one connection few are taken at a time, however slow their answers are', async (t) => {
  const { server } = adminServer();
  const waiting: ((body: string) => void)[] = [];
  server.get('/slow', () => new Promise((resolve) => waiting.push(resolve)));
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const socket = net.connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (data: string) => (text += data));
  const closed = once(socket, 'close');
  const ask = (field = ''): string => `GET /slow HTTP/1.1\r\nHost: a\r\n${field}\r\n`;
  socket.write(`${ask().repeat(99)}${ask('Connection: close\r\n')}`);
  let most = 0;
  for (let answered = 0; answered < 100; answered++) {
    // Whatever came with it was read by the time that another connection has its answer.
    do await (await fetch(`http://127.0.0.1:${port}/healthz`)).text();
    while (waiting.length === 0);
    most = Math.max(most, waiting.length);
    waiting.shift()?.('done');
  }
  await closed;
  t.equal(text.split('done').length - 1, 100);
  t.ok(most <= 3, `${most} were under way`);
});
