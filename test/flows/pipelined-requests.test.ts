/** Many requests at once on one connection: all are answered in order, and few are under way at a time. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import net, { type Socket } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { startBackend } from '../support/backend.ts';
import { startFlow, written } from '../support/flow.ts';
import { startPostern } from '../support/postern.ts';
import { RawClient } from '../support/upstream.ts';

const SECRET = 'a-secret-of-the-server-key';
const REQUESTS = 300;

interface Pipelined {
  readonly listen?: Record<string, unknown>;
  readonly requestTo?: (path: string) => string;
  readonly requests?: number;
  /** How many may be under way at a time. */
  readonly most?: number;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRET}\r\n\r\n`;

async function pipeline(
  t: Test,
  connect: (port: number) => Socket,
  { listen = {}, requestTo = get, requests = REQUESTS, most: mostAtOnce = 3 }: Pipelined = {},
): Promise<void> {
  const waiting: { readonly url: string; readonly res: ServerResponse }[] = [];
  const backend = await startBackend(t, ({ url }, res) => void waiting.push({ url, res }));
  const postern = await startPostern(t, {
    config: { listen, apis: { integration: { upstream: backend.url } } },
    keys: [{ id: 'server', type: 'read-write', secret: SECRET }],
  });
  const socket = connect(postern.port);
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (data: string) => (text += data));
  const heads = Array.from({ length: requests }, (_, n) => requestTo(`/profile/${n}`));
  socket.write(`${heads.join('')}GET /profile/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const metric = 'postern_requests_in_flight{api="integration"}';
  let most = 0;
  const closed = once(socket, 'close');
  for (let answered = 0; answered < requests;) {
    if (answered % 50 === 0) most = Math.max(most, await postern.metric(metric));
    const next = waiting.shift();
    if (next === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    else {
      answered++;
      next.res.end(`<${next.url}>`);
    }
  }
  await closed;
  const bodies = [...text.matchAll(/<\/profile\/(\d+)>/g)].map(([, n]) => Number(n));
  t.same(
    bodies,
    heads.map((_, n) => n),
  );
  t.match(text, /HTTP\/1\.1 401 /);
  t.ok(most > 0 && most <= mostAtOnce, `${most} were under way`);
}

t.test('over plain connections', (t) => pipeline(t, (port) => net.connect(port, '127.0.0.1')));

// Where such a body ends is not known before it was read, and the head behind it comes along.
t.test('with chunked bodies', (t) =>
  pipeline(t, (port) => net.connect(port, '127.0.0.1'), {
    requestTo: (path) =>
      `${get(path).replace('GET', 'POST').replace('Host', 'Transfer-Encoding: chunked\r\nHost')}0\r\n\r\n`,
    requests: 60,
    most: 5,
  }),
);

const fixture = (file: string): string => join(process.cwd(), 'test/fixtures/tls', file);

t.test('over TLS', (t) =>
  pipeline(
    t,
    (port) => tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(fixture('cert.pem')) }),
    { listen: { tls: { certFile: fixture('cert.pem'), keyFile: fixture('key.pem') } } },
  ),
);

t.test('the admin port answers all of them, too', async (t) => {
  const { adminUrl } = await startPostern(t, {
    config: { apis: { integration: { upstream: 'http://127.0.0.1:9' } } },
    keys: [],
  });
  const socket = net.connect(Number(new URL(adminUrl).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (data: string) => (text += data));
  const ask = (path: string, field = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${field}\r\n`;
  socket.write(`${`${ask('/healthz')}${ask('/metrics')}`.repeat(100)}${ask('/readyz', 'Connection: close\r\n')}`);
  await once(socket, 'close');
  t.equal(text.split('HTTP/1.1 200').length, 202);
  t.equal(text.split('{"status":"ok"}').length, 101);
});

t.test('the framing of chunked bodies is judged alike, however many requests wait before them', async (t) => {
  const backend = await startBackend(t);
  const { port } = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [{ id: 'server', type: 'read-write', secret: SECRET }],
  });
  const head = `POST /profile HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRET}\r\n`;
  const chunked = (body: string): string => `${head}Transfer-Encoding: chunked\r\n\r\n${body}`;
  const good = [
    chunked('3\r\nabc\r\n0\r\n\r\n'),
    chunked('4\r\n\r\n\r\n\r\n0\r\nA: b\r\n\r\n'),
    chunked(`${'1\r\nx\r\n'.repeat(200)}0\r\n\r\n`),
    `${head}Content-Length: 2\r\n\r\n{}`,
  ];
  // A long chunk extension, which Node's parser takes.
  const bad = chunked(`3;${'x'.repeat(300)}\r\nabc\r\n0\r\n\r\n`);
  for (const before of [0, 1, 2, 3, 4, 9]) {
    const forwarded = backend.requests.length;
    const sent = Array.from({ length: before }, (_, n) => good[n % good.length] as string);
    const socket = net.connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    let text = '';
    socket.setEncoding('latin1').on('data', (data: string) => (text += data));
    socket.write(`${sent.join('')}${bad}${good[0]}`);
    await once(socket, 'close');
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
    t.same(statuses, [...sent.map(() => 204), 400], `behind ${before}`);
    t.equal(backend.requests.length - forwarded, before);
    const lengths = (list: readonly number[]) => list.toSorted((a, b) => a - b);
    // Two may be under way at once, on two connections to the backend, which takes either first.
    t.same(
      lengths(backend.requests.slice(forwarded).map(({ body }) => body.length)),
      lengths(sent.map((_, n) => [3, 4, 200, 2][n % good.length] as number)),
    );
  }
});

t.test('after an offer of an upgrade whose packet went on, nothing more is read of the connection', async (t) => {
  const held: ServerResponse[] = [];
  const { postern, backend } = await startFlow(t, { respond: (_req, res) => void held.push(res) });
  const client = new RawClient(t, postern.port);
  const asking = (path: string, fields: readonly string[] = []) =>
    written({ method: 'GET', target: path, fields }).toString();
  const first = backend.next();
  client.write(
    asking('/profile/1', ['Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABk', 'Upgrade: h2c']) +
      asking('/profile/2'),
  );
  await first;
  client.write(asking('/profile/3'));
  // Whatever the second packet sets off has happened once another connection was served.
  const other = new RawClient(t, postern.port);
  const last = backend.next();
  other.write(asking('/profile/4'));
  t.equal((await last).url, '/profile/4');
  for (const res of held) res.writeHead(204).end();
  await client.closed;
  t.same(
    backend.requests.map(({ url }) => url),
    ['/profile/1', '/profile/4'],
  );
  t.equal(client.text.split('HTTP/1.1 ').length, 2, 'one answer');
});
