import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { startMetrics } from '../support/metrics-api.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

/** Far more than the kernel takes for a client that reads nothing. */
const SIZE = 16 * 1024 * 1024;
const KEY = 'a-secret-of-the-server';
/** Of those that read nothing. */
const IDLE_SECONDS = 1;

/** Sends a request, reads nothing of the answer, and resolves when the connection is closed. */
async function askAndReadNothing(port: number, request: string): Promise<void> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(request);
  // Without a listener for data nothing is read, the end of the connection included: only a reset is seen.
  socket.pause();
  await new Promise<void>((resolve) => {
    const probe = setInterval(() => socket.write('\r\n'), 50);
    socket.once('close', () => {
      clearInterval(probe);
      resolve();
    });
  });
}

t.test('a client that reads nothing of an answer that streams loses its connection', async (t) => {
  const backend = await startBackend(t, (_req, res) => void res.end(Buffer.alloc(SIZE)));
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url, idleTimeoutSeconds: IDLE_SECONDS } } },
    keys: [{ id: 'server', type: 'read-write', secret: KEY }],
  });
  const before = process.memoryUsage().arrayBuffers;
  const asked = askAndReadNothing(
    postern.port,
    `GET /profile/1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${KEY}\r\n\r\n`,
  );
  await backend.next();
  const others = await fetch(postern.url);
  t.equal(others.status, 401, 'others are served meanwhile');
  await asked;
  t.ok(process.memoryUsage().arrayBuffers - before < 2 * SIZE, 'the backend was held up');
  t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 0);
});

t.test('a client that reads nothing of an answer from the cache loses its connection', async (t) => {
  const { postern, obtainToken, query } = await startMetrics(t, {
    api: { idleTimeoutSeconds: IDLE_SECONDS, cache: { maxBytes: SIZE * 2, maxEntryBytes: SIZE * 2 } },
    respond: (_req, res) => void res.end(Buffer.alloc(SIZE)),
  });
  const token = await obtainToken();
  await (await query(token, { body: '{}' })).arrayBuffer();
  const head = `POST /metrics/query HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 2`;
  await askAndReadNothing(postern.port, `${head}\r\n\r\n{}`);
  t.equal(await postern.metric('postern_cache_requests_total{result="hit"}'), 1, 'it was from the cache');
});

t.test('a client that reads slowly gets everything', async (t) => {
  const backend = await startBackend(t, (_req, res) => void res.end(Buffer.alloc(SIZE / 4, 'a')));
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url, idleTimeoutSeconds: 10 } } },
    keys: [{ id: 'server', type: 'read-write', secret: KEY }],
  });
  const socket = net.connect(postern.port, '127.0.0.1');
  socket.write(`GET /profile/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${KEY}\r\n\r\n`);
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  });
  await once(socket, 'close');
  t.ok(bytes > SIZE / 4);
});
