/** What clients cost that read nothing, go idle or stop in the middle: a process with a heap of 128 MB, and bounds on each. */
import t from 'tap';
import {
  deafClients,
  heldIdle,
  IDLE_SECONDS,
  LARGE,
  memoryOf,
  startBareNode,
  startCorpus,
  stoppedUploads,
} from '../support/memory-corpus.ts';
import { sendRaw } from '../support/raw-http.ts';

const IDLE_CONNECTIONS = 16;
/** What an idle connection may hold beyond what Node holds for it. */
const IDLE_BYTES = 16 * 1024;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

t.test('a connection that goes idle holds little, whatever was asked on it', async (t) => {
  const { postern, port, kinds } = await startCorpus(t);
  const { child } = postern;
  const bare = await startBareNode(t);
  const node = await heldIdle(bare.child, bare.port, GET, IDLE_CONNECTIONS);
  // The first kind also pays for what is compiled meanwhile.
  await heldIdle(child, port, GET, IDLE_CONNECTIONS);
  for (const [kind, request] of Object.entries(kinds)) {
    const held = await heldIdle(child, port, request, IDLE_CONNECTIONS);
    t.ok(held <= node + IDLE_BYTES, `${kind}: ${Math.round(held)} bytes, of Node ${Math.round(node)}`);
  }
  t.equal(child.exitCode, null);
});

const DEAF_EACH = 3;
const DEAF_KINDS = [
  'GET without a key',
  'GET of a wrong key',
  'GET forwarded',
  'preflight',
  'a token',
  'a small cached answer',
  '900 header fields',
  'a batch in gzip, one event cut',
  'a small chunked body without a key',
];
/** They fill what the kernel takes for them soon. */
const LARGE_KINDS = ['GET of a large answer', 'a cached answer'];
const DEAF_MS = 4000;
const DEAF_BYTES = 48 * 1024 * 1024;

t.test('clients that pipeline and read nothing hold little, and others are served', async (t) => {
  const { postern, port, admin, kinds } = await startCorpus(t);
  const { child } = postern;
  const before = await memoryOf(child);
  let most = 0;
  const measure = async (): Promise<void> => {
    const { heap, buffers } = await memoryOf(child);
    most = Math.max(most, heap + buffers - before.heap - before.buffers);
  };
  for (const name of LARGE_KINDS) {
    const { closed, stop } = deafClients(port, kinds[name] as string, DEAF_EACH);
    t.teardown(stop);
    while (child.exitCode === null && closed() < DEAF_EACH) await measure();
    t.equal(closed(), DEAF_EACH, `who takes nothing for ${IDLE_SECONDS} s is cut off: ${name}`);
  }
  const clients = [
    ...DEAF_KINDS.map((name) => deafClients(port, kinds[name] as string, DEAF_EACH)),
    ...['/metrics', '/healthz', '/none'].map((path) => deafClients(admin, GET.replace('/', path), DEAF_EACH)),
  ];
  t.teardown(() => clients.forEach(({ stop }) => stop()));
  for (const end = Date.now() + DEAF_MS; child.exitCode === null && Date.now() < end;) await measure();
  t.equal(child.exitCode, null, 'the process lives');
  t.ok(most < DEAF_BYTES, `${Math.round(most / 1024 / 1024)} MB were held at most`);
  t.equal((await sendRaw(port, GET, { timeoutMs: 60_000 })).status, 401);
});

t.test('small answers of Postern\u2019s own of which nothing is taken end their connection too', async (t) => {
  const { port, kinds } = await startCorpus(t);
  const { sockets, stop } = deafClients(port, kinds['GET without a key'] as string, 1);
  t.teardown(stop);
  await new Promise((resolve) => sockets[0]?.once('close', resolve));
  t.equal(sockets[0]?.destroyed, true, 'closed');
});

t.test('uploads that stop hold what came until their time is over, and nothing after', async (t) => {
  const { postern, port, kinds } = await startCorpus(t);
  const { child } = postern;
  const names = ['a batch, one event cut', 'a credential in the body', 'a large upload', 'a chunked upload'];
  const requests = names.map((name) => kinds[name] as string);
  // What is made once is there by now.
  await Promise.all(requests.map((request) => sendRaw(port, request)));
  const before = await memoryOf(child);
  const sockets = await stoppedUploads(port, requests, 10);
  const during = await memoryOf(child);
  await Promise.all(
    sockets.map((socket) => (socket.closed ? null : new Promise((resolve) => socket.once('close', resolve)))),
  );
  const after = await memoryOf(child);
  const total = (memory: typeof before): number => memory.heap + memory.buffers;
  const sent = (sockets.length * LARGE) / 2;
  t.ok(total(during) - total(before) < 3 * sent, `${total(during) - total(before)} bytes of ${sent}`);
  t.ok(total(after) - total(before) < 4_000_000, `${total(after) - total(before)} bytes are left`);
});
