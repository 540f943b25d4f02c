import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { mock } from 'node:test';
import t from 'tap';
import { createAdminServer } from '../../src/admin/server.ts';
import { createHealth } from '../../src/observability/health.ts';
import { metricsOver } from '../support/metrics.ts';
import { keyOf, shownBy, tlsFixture } from '../support/tls-files.ts';

function adminServer(keysLoaded: () => boolean = () => true, onSignInFailed = () => undefined as unknown) {
  const health = createHealth(keysLoaded);
  const logged: unknown[] = [];
  const log = { error: (event: string, fields: unknown) => void logged.push([event, fields]) };
  const server = createAdminServer({
    metrics: metricsOver(() => null),
    health,
    log,
    api: null,
    onSignInFailed: () => void onSignInFailed(),
  });
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
  t.same([answer.json().status, answer.json().code], [404, 'not_found']);
  t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
  t.notMatch(answer.payload, 'nothing-here');
  t.notMatch(answer.payload, 's3cret');
});

t.test('what breaks inside is logged and not shown', async (t) => {
  const { server, logged } = adminServer();
  server.get('/broken', async () => {
    throw new Error('the inside');
  });
  for (const statusCode of [500, 503])
    server.get(`/broken-${statusCode}`, async () => {
      throw Object.assign(new Error('the inside'), { statusCode });
    });
  const answer = await server.inject('/broken');
  t.equal(answer.statusCode, 500);
  t.notMatch(answer.payload, 'the inside');
  t.same(answer.json().code, 'internal_error');
  t.match(logged, [['admin_request_failed', { error: { message: 'the inside' } }]]);
  for (const url of ['/broken-500', '/broken-503']) {
    const { statusCode, payload } = await server.inject(url);
    t.equal(statusCode, 500);
    t.notMatch(payload, 'the inside');
  }
  t.equal(logged.length, 3);
});

t.test('a request that does not arrive ends in half a minute, and nothing holds up the end', async (t) => {
  const { server } = adminServer();
  t.equal(server.server.requestTimeout, 30_000);
  t.equal(server.initialConfig.bodyLimit, 1_048_576);
  t.equal(server.initialConfig.forceCloseConnections, true);
  t.equal(server.server.maxConnections, 1024);
  t.notOk('bindings' in server.log, 'the framework writes no log of its own');
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

t.test('a path that the router cannot read is a problem document', async (t) => {
  const answer = await adminServer().server.inject('/api/keys/%zz');
  t.same([answer.statusCode, answer.headers['content-type']], [400, 'application/problem+json; charset=utf-8']);
  t.match(answer.json(), { status: 400, code: 'malformed_request', detail: /a `%` that begins no encoded text/ });
});

const STATUSES = [200, 204, 401, 402, 403, 429, 430];

t.test('a sign-in that failed is counted: a token that was shown and refused, wherever', async (t) => {
  let failed = 0;
  const { server } = adminServer(undefined, () => (failed += 1));
  for (const status of STATUSES) {
    server.post(`/api/session${status === 401 ? '' : `-${status}`}`, async (_request, reply) =>
      reply.code(status).send(),
    );
    server.get(`/${status}`, async (_request, reply) => reply.code(status).send());
  }
  server.get('/api/session', async (_request, reply) => reply.code(401).send());
  const counted = async (method: 'GET' | 'POST', url: string, token: boolean): Promise<number> => {
    const before = failed;
    await server.inject({ method, url, headers: token ? { authorization: 'Bearer x' } : {} });
    return failed - before;
  };
  for (const status of STATUSES) {
    t.equal(await counted('GET', `/${status}`, true), status === 401 || status === 429 ? 1 : 0, String(status));
    t.equal(await counted('GET', `/${status}`, false), 0, 'no token was shown');
  }
  t.equal(await counted('POST', '/api/session', false), 1, 'it is in the body');
  t.equal(await counted('POST', '/api/session?x=1', false), 1);
  t.equal(await counted('GET', '/api/session', false), 0);
  t.equal(await counted('POST', '/api/session-429', false), 0, 'another path');
});

t.test('of requests that come in one packet a few are under way at a time, and all are answered', async (t) => {
  const { server } = adminServer();
  const waiting: (() => void)[] = [];
  const begun = { count: 0 };
  server.get('/slow', async () => {
    begun.count += 1;
    await new Promise<void>((resolve) => void waiting.push(resolve));
    return 'done';
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20));
  // By then the packet was read.
  while (begun.count === 0) await fetch(`http://127.0.0.1:${port}/healthz`);
  await fetch(`http://127.0.0.1:${port}/healthz`);
  t.ok(begun.count <= 3, `${begun.count} are under way`);
  while (begun.count < 20) {
    for (const done of waiting.splice(0)) done();
    await fetch(`http://127.0.0.1:${port}/healthz`);
  }
  for (const done of waiting.splice(0)) done();
  const answers = (): number => text.split('HTTP/1.1 200').length - 1;
  while (answers() < 20) await once(socket, 'data');
  t.equal(answers(), 20);
  t.notMatch(text, 'HTTP/1.1 400');
});

t.test('a client that takes nothing of an answer is cut off, after a minute at the soonest', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const { server } = adminServer();
  server.get('/long', async () => Buffer.alloc(2 ** 26));
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').pause();
  t.teardown(() => socket.destroy());
  const responding = once(server.server, 'request');
  socket.write('GET /long HTTP/1.1\r\nHost: a\r\n\r\n');
  const [{ socket: theirs }] = (await responding) as [{ socket: typeof socket }];
  while (theirs.writableLength === 0) await new Promise(setImmediate);
  const closed = once(theirs, 'close');
  mock.timers.tick(59_999);
  mock.timers.tick(59_999);
  t.notOk(theirs.destroyed);
  mock.timers.tick(2);
  await closed;
  t.ok(theirs.destroyed);
});

t.test('while it closes, probes are answered', async (t) => {
  const { server, health } = adminServer();
  const statuses: number[] = [];
  server.addHook('preClose', async () => {
    const { port } = server.server.address() as AddressInfo;
    statuses.push((await fetch(`http://127.0.0.1:${port}/healthz`)).status);
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  health.drain();
  await server.close();
  t.same(statuses, [200]);
});

t.test('over TLS: with the certificate, of no old version, and no handshake takes longer than a request', async (t) => {
  const tls = { cert: readFileSync(tlsFixture('cert'), 'utf8'), key: readFileSync(keyOf('cert'), 'utf8'), ca: null };
  const health = createHealth(() => true);
  const server = createAdminServer({
    metrics: metricsOver(() => null),
    health,
    log: { error: () => undefined },
    tls,
  });
  t.teardown(() => server.close());
  const secure = server.server as unknown as Record<string | symbol, unknown>;
  t.equal(secure['minVersion'], 'TLSv1.2');
  const limits = Object.getOwnPropertySymbols(secure).filter((symbol) => /handshake/.test(symbol.description ?? ''));
  t.ok(limits.some((symbol) => secure[symbol] === 30_000));
  await server.listen({ port: 0, host: '127.0.0.1' });
  t.equal(await shownBy((server.server.address() as AddressInfo).port), 'cert');
});
