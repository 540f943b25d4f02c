import { createServer, type RequestListener } from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import t from 'tap';
import { downloadText } from '../../src/keys/list-download.ts';

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
