/** The order in which a sidecar ends: what still answers meanwhile, and what may hold it up. */
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { ADMIN_TOKEN } from '../support/admin-client.ts';
import { startFlow, written } from '../support/flow.ts';
import { onRequest, rawBackend, RawClient } from '../support/upstream.ts';

/** So long that a shutdown which waits for it does not pass for one that does not. */
const LONG = 600_000;

const GET = written({ method: 'GET', target: '/profile/1' }).toString('latin1');

const refuses = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => (socket.destroy(), resolve(false)));
    socket.on('error', () => resolve(true));
  });

async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A request that the backend answers when it is told to. */
async function oneUnderWay(t: Test) {
  let answer = (): void => {};
  const { postern, backend } = await startFlow(t, {
    respond: (_req, res) => void (answer = () => res.end('finished')),
  });
  const arrived = backend.next();
  const client = new RawClient(t, postern.port);
  client.write(GET);
  await arrived;
  return { postern, client, finish: () => answer() };
}

t.test('the admin port answers until the last request has ended: alive, and not ready', async (t) => {
  const { postern, client, finish } = await oneUnderWay(t);
  const drained = postern.sidecar.drain({ announceMs: 0, graceMs: LONG });
  await until(() => refuses(postern.port));
  const probe = async (path: string) => (await fetch(postern.adminUrl + path)).status;
  t.same([await probe('/healthz'), await probe('/readyz'), await probe('/metrics')], [200, 503, 200]);
  t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 1);
  finish();
  await client.until('finished');
  await drained;
  t.equal(await refuses(postern.sidecar.admin.port), true, 'then it is closed too');
});

t.test('an answer without end is broken off when the grace is over', async (t) => {
  const { postern } = await startFlow(t, {
    respond: (_req, res) => {
      const more = setInterval(() => res.write('more'), 5);
      res.once('close', () => clearInterval(more));
    },
  });
  const client = new RawClient(t, postern.port);
  client.write(GET);
  await client.until('more');
  await postern.sidecar.drain({ announceMs: 0, graceMs: 100 });
  await client.closed;
  t.notOk(client.text.endsWith('0\r\n\r\n'), 'and does not look whole');
});

t.test('connections that are kept for a next request hold nothing up', async (t) => {
  const finish: (() => void)[] = [];
  const { postern } = await startFlow(t, {
    listen: { keepAliveTimeoutSeconds: 600 },
    respond: (req, res) => {
      if (req.url === '/profile/1') res.end('idle');
      else {
        res.writeHead(200, { 'content-length': 8 }).flushHeaders();
        finish.push(() => res.end('finished'));
      }
    },
  });
  const idle = new RawClient(t, postern.port);
  idle.write(GET);
  await idle.until('idle');
  // Its head was sent before anybody knew of the end, so it could not say that the connection will close.
  const busy = new RawClient(t, postern.port);
  busy.write(GET.replace('/profile/1', '/profile/2'));
  await busy.until('\r\n\r\n');
  t.notMatch(busy.text, /connection: close/i);
  const drained = postern.sidecar.drain({ announceMs: 0, graceMs: LONG });
  await idle.closed;
  finish[0]?.();
  await busy.until('finished');
  await Promise.all([busy.closed, drained]);
  t.match(busy.text, /\r\n\r\nfinished$/);
});

t.test('an answer that begins while the end is announced tells the client to go elsewhere', async (t) => {
  const { postern, client, finish } = await oneUnderWay(t);
  const drained = postern.sidecar.drain({ announceMs: 0, graceMs: LONG });
  finish();
  await client.until('finished');
  t.match(client.text, /\r\nConnection: close\r\n/);
  await client.closed;
  await drained;
  t.same(postern.lines.filter(({ msg }) => msg === 'draining').length, 1);
});

t.test('a live view of refusals and an idle scraper hold nothing up either', async (t) => {
  const { postern } = await startFlow(t, { admin: { token: ADMIN_TOKEN } });
  const bearer = `Authorization: Bearer ${ADMIN_TOKEN}`;
  const stream = new RawClient(t, postern.sidecar.admin.port);
  stream.write(`GET /api/rejections/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n${bearer}\r\n\r\n`);
  await stream.until('retry:');
  const scraper = new RawClient(t, postern.sidecar.admin.port);
  scraper.write('GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await scraper.until('postern_build_info');
  const half = new RawClient(t, postern.sidecar.admin.port);
  half.write('POST /api/explain HTTP/1.1\r\nHost: 127.0.0.1\r\n');
  await postern.sidecar.drain({ announceMs: 0, graceMs: LONG });
  await Promise.all([stream.closed, scraper.closed, half.closed]);
  t.match(stream.text, /^HTTP\/1\.1 200 /);
});

t.test('a request that fails while the end is announced is told to go elsewhere too', async (t) => {
  const broken: (() => void)[] = [];
  const { postern, backend } = await startFlow(t, { respond: (_req, res) => void broken.push(() => res.destroy()) });
  const arrived = backend.next();
  const client = new RawClient(t, postern.port);
  client.write(GET);
  await arrived;
  const drained = postern.sidecar.drain({ announceMs: 0, graceMs: LONG });
  broken[0]?.();
  await client.until('upstream_unreachable');
  t.match(client.text, /^HTTP\/1\.1 502 [^]*\r\nConnection: close\r\n/);
  await Promise.all([client.closed, drained]);
});

const fixture = (file: string): string => join(process.cwd(), 'test/fixtures/tls', file);
const TLS = { certFile: fixture('cert.pem'), keyFile: fixture('key.pem') };
const PROXY = { proxyProtocol: true, trustedProxies: ['127.0.0.1'] };

t.test(
  'nor do connections that never brought a request, and one on which a request begins is waited for',
  async (t) => {
    const plain = async (port: number, bytes = ''): Promise<net.Socket> => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
      await once(socket, 'connect');
      return socket;
    };
    const secured = async (port: number): Promise<net.Socket> => {
      const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      return socket;
    };
    const header = 'PROXY TCP4 203.0.113.7 127.0.0.1 49152 80\r\n';
    for (const [listen, kinds] of [
      [{}, [plain]],
      [PROXY, [plain, (port: number) => plain(port, header)]],
      [{ tls: TLS }, [plain, secured]],
    ] as const) {
      const { postern } = await startFlow(t, { listen });
      const unused = await Promise.all(kinds.map((connect) => connect(postern.port)));
      const closed = unused.map((socket) => once(socket.on('error', () => {}).resume(), 'close'));
      // A turn or two for them to be accepted.
      await postern.metric('postern_requests_in_flight{api="integration"}');
      await postern.sidecar.drain({ announceMs: 0, graceMs: LONG });
      t.equal((await Promise.all(closed)).length, kinds.length);
    }
    const { postern } = await startFlow(t);
    const begun = new RawClient(t, postern.port);
    begun.write(GET.slice(0, 20));
    await postern.metric('postern_requests_in_flight{api="integration"}');
    const drained = postern.sidecar.drain({ announceMs: 0, graceMs: LONG });
    await until(() => refuses(postern.port));
    begun.write(GET.slice(20));
    await begun.until('HTTP/1.1 204');
    await Promise.all([begun.closed, drained]);
  },
);

t.test('idle connections to backends end with the sidecar', async (t) => {
  const backend = await rawBackend(t, (socket) =>
    onRequest(socket, () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')),
  );
  const { postern, raw } = await startFlow(t, { api: { upstream: backend.url, keepAliveSeconds: 300 } });
  t.equal((await raw(GET)).body, 'ok');
  const [socket] = backend.sockets;
  t.equal(socket?.destroyed, false);
  const closed = once(socket as net.Socket, 'close');
  await postern.sidecar.drain({ announceMs: 0, graceMs: LONG });
  await closed;
  t.equal(backend.sockets.length, 1);
});
