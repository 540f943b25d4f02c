/**
 * The admin port as a server: what it answers without a token, what it refuses before the framework is there, and its bounds.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import type { AdminApiPorts } from '../../src/admin/api.ts';
import { createAdminServer } from '../../src/admin/server.ts';
import { createHealth } from '../../src/observability/health.ts';
import { eventually } from '../support/eventually.ts';
import { metricsOver } from '../support/metrics.ts';
import { keyOf, shownBy, tlsFixture } from '../support/tls-files.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

interface Setting {
  readonly loaded?: () => boolean;
  readonly host?: string;
  /** Whether the metrics cannot be read. */
  readonly broken?: boolean;
  readonly parts?: () => AsyncIterable<string>;
  readonly api?: AdminApiPorts | null;
}

// oxlint-disable-next-line require-yield
async function* failing(): AsyncGenerator<string> {
  throw new Error('the inside');
}

async function* inOnePart(text: string | Promise<string>): AsyncGenerator<string> {
  yield text;
}

async function adminServer(t: Test, setting: Setting = {}) {
  const { loaded = () => true, host = '127.0.0.1', broken = false, api = null } = setting;
  const health = createHealth(loaded);
  const logged: unknown[][] = [];
  const log = { error: (event: string, fields: unknown) => void logged.push([event, fields]) };
  const metrics = metricsOver(() => null);
  const { parts = broken ? failing : metrics.parts } = setting;
  const server = createAdminServer({ metrics: { contentType: metrics.contentType, parts }, health, log, api });
  await server.listen({ host, port: 0 });
  t.teardown(() => server.close());
  const { port, address } = server.server.address() as AddressInfo;
  const ask = (path: string, options: http.RequestOptions = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = http.request({ host: address, port, path, agent: false, ...options }, (res) => {
        let body = '';
        res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text: body }));
      });
      request.on('error', reject).end();
    });
  return { server, health, logged, ask, port, address };
}

async function sent(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

void t.test('GET /metrics answers in the Prometheus text format', async (t) => {
  const { ask } = await adminServer(t);
  for (const path of ['/metrics', '/metrics?name=x', 'http://admin.example:9090/metrics']) {
    const answer = await ask(path);
    t.equal(answer.status, 200);
    t.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    t.ok(answer.text.includes('\npostern_build_info{version="1.2.3",node="v20.0.0"} 1\n'));
    t.equal(answer.headers['vary'], 'Accept');
  }
});

void t.test('GET /metrics answers in OpenMetrics to whoever asks for it', async (t) => {
  const { ask } = await adminServer(t);
  const answer = await ask('/metrics', { headers: { accept: 'application/openmetrics-text; version=1.0.0' } });
  t.equal(answer.status, 200);
  t.equal(answer.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  t.ok(answer.text.includes('\npostern_build_info{version="1.2.3",node="v20.0.0"} 1\n'));
  t.equal(answer.text.slice(-6), '# EOF\n');
});

void t.test('/healthz is 200 in every state, /readyz says why it is not ready', async (t) => {
  let loaded = false;
  const { ask, health } = await adminServer(t, { loaded: () => loaded });
  const probe = async (path: string) => {
    const { status, headers, text } = await ask(path);
    t.equal(headers['cache-control'], 'no-store');
    t.equal(headers['content-type'], 'application/json; charset=utf-8');
    const document = JSON.parse(text) as { status: string; reason?: string };
    return [status, document.status, typeof document.reason];
  };
  t.same(await probe('/readyz'), [503, 'starting', 'string']);
  t.same(await probe('/healthz'), [200, 'ok', 'undefined']);
  loaded = true;
  t.same(await probe('/readyz'), [200, 'ready', 'undefined']);
  health.drain();
  t.same(await probe('/readyz'), [503, 'draining', 'string']);
  t.same(await probe('/healthz'), [200, 'ok', 'undefined']);
});

void t.test('probes answer HEAD as well, and no other method', async (t) => {
  const { ask } = await adminServer(t, { loaded: () => false });
  const { status, text, headers } = await ask('/readyz', { method: 'HEAD' });
  t.same([status, text], [503, '']);
  t.not(headers['content-length'], '0');
  for (const path of ['/readyz', '/healthz', '/metrics'])
    t.equal((await ask(path, { method: 'POST' })).status, 404, path);
});

void t.test('an unknown path is a problem document that echoes nothing', async (t) => {
  const { ask } = await adminServer(t);
  for (const path of ['/nothing-here?token=s3cret', '/metrics/', '//metrics', '/api/keys', '/%', '/']) {
    const { status, headers, text } = await ask(path);
    t.equal(status, 404, path);
    t.equal(headers['content-type'], 'application/problem+json; charset=utf-8');
    t.same(JSON.parse(text), {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'not_found',
      detail: 'There is nothing here.',
    });
  }
});

void t.test('metrics that cannot be read are logged and not shown', async (t) => {
  const { ask, logged } = await adminServer(t, { broken: true });
  const { status, text } = await ask('/metrics');
  t.equal(status, 500);
  t.equal((JSON.parse(text) as { code: string }).code, 'internal_error');
  t.notMatch(text, 'the inside');
  t.equal(logged.length, 1);
  t.equal(logged[0]?.[0], 'admin_request_failed');
});

void t.test('an API that cannot be made ready is logged and not shown, and takes nothing else with it', async (t) => {
  // Everything that it needs but the tokens is missing.
  const api = { tokens: { any: () => true } } as AdminApiPorts;
  const { ask, logged } = await adminServer(t, { api });
  for (const { status, text } of [await ask('/api/keys'), await ask('/')]) {
    t.equal(status, 500);
    t.equal((JSON.parse(text) as { code: string }).code, 'internal_error');
  }
  t.same(
    logged.map(([event]) => event),
    ['admin_request_failed', 'admin_request_failed'],
  );
  t.equal((await ask('/healthz')).status, 200);
});

void t.test('what is no request is refused with a problem document, and its connection closed', async (t) => {
  const { port } = await adminServer(t);
  for (const [bytes, status] of [
    ['GET /healthz HTTP/1.1\r\nhost : x\r\n\r\n', '400 Bad Request'],
    [`GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, '431 Request Header Fields Too Large'],
  ] as const) {
    const answer = await sent(port, bytes);
    t.equal(answer.slice(0, answer.indexOf('\r\n')), `HTTP/1.1 ${status}`);
    t.ok(answer.includes('\r\nconnection: close\r\ncontent-type: application/problem+json\r\n'), answer);
    const { code, ...rest } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as { code: string; status: number };
    t.same([code, rest.status], ['malformed_request', Number(status.slice(0, 3))]);
  }
});

void t.test('a request that does not arrive ends in half a minute, and nothing holds up the end', async (t) => {
  const { server, port } = await adminServer(t);
  t.equal(server.server.requestTimeout, 30_000);
  t.equal(server.server.keepAliveTimeout, 72_000);
  t.equal(server.server.maxConnections, 1024);
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'data');
  const gone = once(socket, 'close');
  await server.close();
  await gone;
});

void t.test('localhost is every address that this machine has for it', async (t) => {
  const { ask, server, address } = await adminServer(t, { host: 'localhost' });
  t.equal((await ask('/healthz')).status, 200);
  const other = address === '127.0.0.1' ? '::1' : '127.0.0.1';
  // A machine without IPv6 has one.
  const answer = await ask('/healthz', { host: other }).catch((error: NodeJS.ErrnoException) => error.code);
  t.ok(typeof answer === 'string' ? /EADDRNOTAVAIL|ECONNREFUSED/.test(answer) : answer?.status === 200);
  await server.close();
  await t.rejects(ask('/healthz', { host: other }));
});

void t.test('of many requests on one connection few are taken at a time, however slow their answers are', async (t) => {
  const waiting: ((text: string) => void)[] = [];
  const { port, ask } = await adminServer(t, {
    parts: () => inOnePart(new Promise((resolve) => waiting.push(resolve))),
  });
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (data: string) => (text += data));
  const closed = once(socket, 'close');
  const scrape = (field = ''): string => `GET /metrics HTTP/1.1\r\nHost: a\r\n${field}\r\n`;
  socket.write(`${scrape().repeat(99)}${scrape('Connection: close\r\n')}`);
  let most = 0;
  for (let answered = 0; answered < 100; answered++) {
    // Whatever came with it was read by the time that another connection has its answer.
    do await ask('/healthz');
    while (waiting.length === 0);
    most = Math.max(most, waiting.length);
    waiting.shift()?.('done');
  }
  await closed;
  t.equal(text.split('done').length - 1, 100);
  t.ok(most <= 3, `${most} were under way`);
});

void t.test('a long scrape is made as its client takes it, and comes whole', async (t) => {
  let made = 0;
  const parts = async function* (): AsyncGenerator<string> {
    for (; made < 1000; made += 1) yield `${'x'.repeat(65_535)}\n`;
  };
  const { port, server } = await adminServer(t, { parts });
  const socket = connect(port, '127.0.0.1').pause();
  t.teardown(() => socket.destroy());
  const responding = once(server.server, 'request');
  socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const [, res] = (await responding) as [unknown, http.ServerResponse];
  await eventually(async () => {
    const before = made;
    await new Promise(setImmediate);
    return made > 0 && made === before && res.writableNeedDrain;
  }, 'the scrape to wait for its client');
  t.ok(made < 500, `${made} parts were made for nobody`);
  let bytes = 0;
  socket.on('data', (data) => (bytes += data.length)).resume();
  await once(socket, 'close');
  t.equal(made, 1000);
  t.ok(bytes > 65_536_000);
});

void t.test('a client that takes nothing of an answer is cut off, after a minute at the soonest', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const { port, server } = await adminServer(t, { parts: () => inOnePart('x'.repeat(2 ** 26)) });
  const socket = connect(port, '127.0.0.1').pause();
  t.teardown(() => socket.destroy());
  const responding = once(server.server, 'request');
  socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
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

void t.test(
  'over TLS: with the certificate, of no old version, and no handshake takes longer than a request',
  async (t) => {
    const tls = { cert: readFileSync(tlsFixture('cert'), 'utf8'), key: readFileSync(keyOf('cert'), 'utf8'), ca: null };
    const log = { error: () => undefined };
    const { server, listen, close } = createAdminServer({
      metrics: metricsOver(() => null),
      health: createHealth(() => true),
      log,
      tls,
    });
    t.teardown(close);
    const secure = server as unknown as Record<string | symbol, unknown>;
    t.equal(secure['minVersion'], 'TLSv1.2');
    const limits = Object.getOwnPropertySymbols(secure).filter((symbol) => /handshake/.test(symbol.description ?? ''));
    t.ok(limits.some((symbol) => secure[symbol] === 30_000));
    t.equal(server.requestTimeout, 30_000);
    await listen({ host: '127.0.0.1', port: 0 });
    t.equal(await shownBy((server.address() as AddressInfo).port), 'cert');
  },
);
