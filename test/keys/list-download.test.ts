import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import t from 'tap';
import { downloadText } from '../../src/keys/list-download.ts';
import { tlsFixture } from '../support/tls-files.ts';

const { signal } = new AbortController();
const LIMITS = { maxBytes: 1000, timeoutMs: 30_000 };
const LIST = '203.0.113.0/28\n';

async function at(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const serve = (listener: RequestListener) => at(createServer(listener));
/** A server that says these bytes and hangs up. */
const say = (bytes: string) =>
  at(
    createSocketServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    }),
  );
/** Gives what stops it. */
function timerOf(late: () => void): () => void {
  const timer = setTimeout(late, 2 * LIMITS.timeoutMs);
  return () => clearTimeout(timer);
}
const whyOf = async (url: string): Promise<string> => {
  const got = await downloadText(url, LIMITS, signal);
  return got.ok ? 'it was believed' : got.why;
};

t.test('a whole text is taken, also after a redirect on the same host', async (t) => {
  const seen: (string | undefined)[] = [];
  const url = await serve((req, res) => {
    seen.push(req.headers['accept-encoding']);
    if (req.url === '/moved') res.writeHead(302, { location: '/list' }).end();
    else res.end(LIST);
  });
  t.same(await downloadText(`${url}/list`, LIMITS, signal), { ok: true, text: LIST });
  t.same(await downloadText(`${url}/moved`, LIMITS, signal), { ok: true, text: LIST });
  t.same([...new Set(seen)], ['identity']);
});

t.test('whatever else is not', async (t) => {
  const answers = new Map<string, RequestListener>([
    ['/gone', (_, res) => void res.writeHead(404).end(LIST)],
    ['/partial', (_, res) => void res.writeHead(206).end(LIST)],
    ['/large', (_, res) => void res.end(LIST.repeat(100))],
    ['/coded', (_, res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(LIST)],
    ['/binary', (_, res) => void res.end(Buffer.from([0xff, 0xfe, 0x31]))],
    ['/away', (_, res) => void res.writeHead(302, { location: 'http://127.0.0.2:1/list' }).end()],
    ['/round', (_, res) => void res.writeHead(302, { location: '/round' }).end()],
    ['/odd', (_, res) => void res.writeHead(302, { location: 'http://' }).end()],
  ]);
  const url = await serve((req, res) => answers.get(req.url ?? '')?.(req, res));
  t.match(await whyOf(`${url}/gone`), /status 404/);
  t.match(await whyOf(`${url}/partial`), /status 206/);
  t.match(await whyOf(`${url}/large`), /too large/);
  t.match(await whyOf(`${url}/coded`), /compressed/);
  t.match(await whyOf(`${url}/binary`), /UTF-8/);
  t.match(await whyOf(`${url}/away`), /another host/);
  t.match(await whyOf(`${url}/round`), /too often/);
  t.match(await whyOf(`${url}/odd`), /no URL/);
  const { port } = new URL(url);
  t.match(await whyOf(`http://127.0.0.1:${Number(port) === 1 ? 2 : 1}/`), /cannot be reached: ECONNREFUSED/);
});

t.test('nor what may have been cut short', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\n';
  t.match(await whyOf(await say(`${head}Content-Length: 100\r\n\r\n${LIST}`)), /cut short/);
  t.match(await whyOf(await say(`${head}Transfer-Encoding: chunked\r\n\r\nf\r\n${LIST}\r\n`)), /cut short/);
  t.match(await whyOf(await say(`${head}Connection: close\r\n\r\n${LIST}`)), /does not say how long/);
  t.match(await whyOf(await say('203.0.113.0/28')), /cannot be reached/);
});

t.test('nor what ends with the connection, whatever its coding is called', async (t) => {
  for (const coding of ['identity', 'gzip', 'chunked, gzip'])
    t.match(
      await whyOf(await say(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n${LIST}`)),
      /does not say how long it is/,
      coding,
    );
});

t.test('a switch of protocols is no answer, and is not waited for', async (t) => {
  const url = await say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: list\r\nConnection: upgrade\r\n\r\n');
  const late = new Promise<string>((resolve) => t.teardown(timerOf(() => resolve('nothing came'))));
  t.match(await Promise.race([whyOf(url), late]), /gives no answer/);
});

t.test('one that never ends is given up', async (t) => {
  const url = await serve((_, res) => void res.write(LIST));
  const got = await downloadText(url, { maxBytes: 1000, timeoutMs: 50 }, signal);
  t.match(got, { ok: false, why: 'no whole answer came within 0.05 s' });
});

t.test('plain http is for this machine alone', async (t) => {
  t.match(await whyOf('https://127.0.0.1:1/'), /cannot be reached/);
});

t.test('at its bounds a text is whole, and past them none', async (t) => {
  let text = 'x'.repeat(LIMITS.maxBytes);
  let hops = 3;
  const url = await serve((req, res) => {
    const at = Number(req.url?.slice(1));
    if (at < hops) res.writeHead(307, { location: `/${at + 1}` }).end();
    else res.end(text);
  });
  t.equal(await whyOf(`${url}/0`), 'it was believed');
  hops = 4;
  t.match(await whyOf(`${url}/0`), /too often/);
  text += 'x';
  t.match(await whyOf(`${url}/4`), /too large/);
});

t.test('what says that it is not compressed is not, and a redirect to nowhere is an answer', async (t) => {
  const url = await serve((req, res) => {
    if (req.url === '/moved') res.writeHead(302).end(LIST);
    else if (req.url === '/choices') res.writeHead(300, { location: '/list' }).end();
    else if (req.url === '/bad') res.writeHead(400, { location: '/list' }).end(LIST);
    else if (req.url === '/good') res.writeHead(201, { location: '/list' }).end(LIST);
    else res.writeHead(200, { 'content-encoding': 'identity' }).end(LIST);
  });
  t.equal(await whyOf(`${url}/list`), 'it was believed');
  t.match(await whyOf(`${url}/moved`), /status 302/);
  t.equal(await whyOf(`${url}/choices`), 'it was believed');
  t.match(await whyOf(`${url}/bad`), /status 400/);
  t.match(await whyOf(`${url}/good`), /status 201/);
  const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nf\r\n${LIST}\r\n0\r\n\r\n`;
  t.equal(await whyOf(await say(chunked)), 'it was believed');
});

t.test('an answer that is not read to its end is not waited for', async (t) => {
  const gone = new EventEmitter();
  const url = await serve((req, res) => {
    res.on('close', () => gone.emit(req.url ?? ''));
    const [status, location] = req.url === '/moved' ? [302, '/list'] : [req.url === '/wrong' ? 500 : 200, undefined];
    res.writeHead(status, location === undefined ? {} : { location });
    if (req.url === '/list') res.end(LIST);
    else res.write(LIST);
  });
  for (const [path, why] of [
    ['/moved', 'it was believed'],
    ['/wrong', 'it answers with status 500'],
  ] as const) {
    const closed = once(gone, path);
    t.equal(await whyOf(url + path), why);
    await closed;
  }
});

t.test('this machine is asked by each of its own addresses, and no other machine is', async (t) => {
  const server = createServer((_, res) => void res.end(LIST));
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const host of ['127.0.0.1', '127.9.9.9', '[::1]', '[::ffff:127.0.0.1]'])
    t.equal(await whyOf(`http://${host}:${port}/`), 'it was believed', host);
  const { createConnection } = Agent.prototype;
  t.teardown(() => (Agent.prototype.createConnection = createConnection));
  for (const address of ['192.0.2.1', '::2', '128.0.0.1', undefined]) {
    Agent.prototype.createConnection = function (...asked) {
      const socket = createConnection.apply(this, asked);
      return Object.defineProperty(socket as object, 'remoteAddress', { value: address }) as typeof socket;
    };
    t.match(await whyOf(`http://127.0.0.1:${port}/`), /its host is not this machine/, String(address));
  }
});

t.test('over TLS a certificate has to be right, whatever the environment says, and time is bounded', async (t) => {
  const certificate = { cert: readFileSync(tlsFixture('cert')), key: readFileSync(tlsFixture('key')) };
  let asked = 0;
  const server = createSecureServer(certificate, (_, res) => {
    asked += 1;
    res.end(LIST);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.teardown(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  const { port } = server.address() as AddressInfo;
  t.match(await whyOf(`https://localhost:${port}/`), /cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT/);
  t.equal(asked, 0);
  const silent = await at(createSocketServer((socket) => void socket.on('error', () => undefined)));
  t.match(await downloadText(silent.replace('http:', 'https:'), { maxBytes: 1000, timeoutMs: 50 }, signal), {
    ok: false,
    why: 'no whole answer came within 0.05 s',
  });
});

t.test('what is called off ends', async (t) => {
  const url = await serve(() => undefined);
  const given = new AbortController();
  const download = downloadText(url, LIMITS, given.signal);
  given.abort();
  t.match(await download, { ok: false });
});
