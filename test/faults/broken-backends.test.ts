import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import t from 'tap';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

const SECRET = 'secret-of-the-server-key';
const postTo = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRET}\r\nContent-Length: 2\r\n\r\n{}`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';

interface Broken {
  readonly answer: (socket: Socket) => void;
  /** 0: the client's connection is broken off without a whole answer. */
  readonly status: number;
  /** The label of the one error that is counted; null: none. */
  readonly kind: string | null;
}

const say =
  (text: string, then?: (socket: Socket) => void) =>
  (socket: Socket): void =>
    void socket.write(Buffer.from(text, 'latin1'), () => then?.(socket));
const end = (socket: Socket): void => void socket.end();
const reset = (socket: Socket): void => void socket.resetAndDestroy();

const BACKENDS: Readonly<Record<string, Broken>> = {
  'closes without an answer': { answer: end, status: 502, kind: 'reset' },
  'resets without an answer': { answer: reset, status: 502, kind: 'reset' },
  'resets within the status line': { answer: say('HTTP/1.1 20', reset), status: 502, kind: 'reset' },
  'closes within the header section': {
    answer: say('HTTP/1.1 200 OK\r\nContent-Le', end),
    status: 502,
    kind: 'reset',
  },
  'closes within the body': { answer: say(`${OK}o`, end), status: 0, kind: 'truncated' },
  'resets within the body': { answer: say(`${OK}o`, reset), status: 0, kind: 'truncated' },
  'closes within a chunk': {
    answer: say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab', end),
    status: 0,
    kind: 'truncated',
  },
  'closes before the last chunk': {
    answer: say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n', end),
    status: 0,
    kind: 'truncated',
  },
  'speaks another protocol': { answer: say('SSH-2.0-x\r\n'), status: 502, kind: 'malformed' },
  'has a broken status': { answer: say('HTTP/1.1 2x0 OK\r\n\r\n'), status: 502, kind: 'malformed' },
  'has a NUL in a field': {
    answer: say('HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'),
    status: 502,
    kind: 'malformed',
  },
  'has a field without a colon': { answer: say('HTTP/1.1 200 OK\r\nbroken\r\n\r\n'), status: 502, kind: 'malformed' },
  'has two lengths': {
    answer: say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'),
    status: 502,
    kind: 'malformed',
  },
  'has two equal lengths': {
    answer: say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'),
    status: 502,
    kind: 'malformed',
  },
  'has a negative length': {
    answer: say('HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok'),
    status: 502,
    kind: 'malformed',
  },
  'has a length and chunks': {
    answer: say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    status: 502,
    kind: 'malformed',
  },
  'has a coding besides chunked': {
    answer: say('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'),
    status: 502,
    kind: 'malformed',
  },
  'switches protocols unasked': {
    answer: say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    status: 502,
    kind: 'malformed',
  },
  'sends interim answers without end': {
    answer: (socket) => void socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000)),
    status: 502,
    kind: 'malformed',
  },
  'sends fields without end': {
    answer: (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${'X: aaaaaaaaaaaaaaaa\r\n'.repeat(100_000)}`),
    status: 502,
    kind: 'malformed',
  },
  'sends one field without end': {
    answer: (socket) => void socket.write(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(1_000_000)}`),
    status: 502,
    kind: 'malformed',
  },
  'says nothing': { answer: () => undefined, status: 504, kind: 'header_timeout' },
  'stops within the header section': { answer: say('HTTP/1.1 200 OK\r\nX: '), status: 504, kind: 'header_timeout' },
  'stops within the body': { answer: say(`${OK}o`), status: 0, kind: 'idle_timeout' },
  'answers with an error': {
    answer: say('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n'),
    status: 500,
    kind: null,
  },
};

/** Where little patience is had: on a busy machine what is well may take as long, and is asked for elsewhere. */
const PATHS = { header_timeout: '/silent', idle_timeout: '/halting' } as const;

t.test(
  'whatever a backend does, its client gets the right answer, it is counted, and nothing is sent twice',
  async (t) => {
    let behave: Broken['answer'] = end;
    let connections = 0;
    let requests = 0;
    const server = net.createServer((socket) => {
      connections++;
      socket.on('error', () => undefined);
      socket.on('data', () => {
        requests++;
        behave(socket);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const postern = await startPostern(t, {
      config: {
        apis: {
          integration: {
            upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
            routes: [
              { method: 'POST', path: PATHS.header_timeout, timeoutSeconds: 0.3 },
              { method: 'POST', path: PATHS.idle_timeout, idleTimeoutSeconds: 0.3 },
            ],
          },
        },
      },
      keys: [{ id: 'server', type: 'read-write', secret: SECRET }],
    });
    for (const [what, { answer, status, kind }] of Object.entries(BACKENDS)) {
      behave = answer;
      requests = 0;
      const before = connections;
      const errors = `postern_upstream_errors_total{api="integration",kind="${kind}"}`;
      const counted = kind === null ? 0 : await postern.metric(errors);
      const got = await sendRaw(postern.port, postTo(PATHS[kind as keyof typeof PATHS] ?? '/profile'));
      const length = Number(got.headers['content-length'] ?? Number.POSITIVE_INFINITY);
      if (status === 0)
        t.ok(got.closed && got.body.length < length && !got.body.endsWith('0\r\n\r\n'), `${what}: broken off`);
      else t.equal(got.status, status, `${what}: status`);
      t.equal(requests, 1, `${what}: sent once`);
      if (kind === null) continue;
      t.equal((await postern.metric(errors)) - counted, 1, `${what}: counted as ${kind}`);
      behave = say(`${OK}ok`);
      t.equal((await sendRaw(postern.port, postTo('/profile'))).body, 'ok', `${what}: the next one is served`);
      t.ok(connections - before >= 1 && requests === 2, `${what}: on a connection of its own`);
    }
    t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 0);
  },
);
