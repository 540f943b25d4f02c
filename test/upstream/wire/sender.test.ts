import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { Sender } from '../../../src/upstream/wire/sender.ts';
import { onRequest, rawBackend, socketBackend } from '../../support/upstream.ts';

async function connected(t: Test, options: net.NetConnectOpts) {
  const socket = net.connect(options).on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const told: string[] = [];
  const sender: Sender = new Sender(socket, {
    onNothingSent: (error) => void told.push((error as NodeJS.ErrnoException).code ?? ''),
    onUploaded: () => void told.push('uploaded'),
    onUploadBroken: (why) => void told.push(why),
  });
  return { socket, sender, told };
}

const HEAD = 'POST / HTTP/1.1\r\ncontent-length: 20000\r\n\r\n';
const request = { method: 'POST', target: '/', host: 'a', headers: [], contentLength: 20_000 };

void t.test('head and body arrive as they are, whatever the body is', async (t) => {
  const seen: string[] = [];
  const backend = await rawBackend(t, (socket) => onRequest(socket, (text) => seen.push(text)));
  const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i % 256));
  const small = HEAD.replace('20000', '256');
  const { sender } = await connected(t, { port: backend.port, host: '127.0.0.1' });
  for (const [head, body] of [
    [HEAD, bytes],
    [small, bytes.subarray(0, 256)],
    [HEAD.replace('20000', '0'), null],
    [HEAD, Readable.from([bytes.subarray(0, 7), bytes.subarray(7)])],
  ] as const) {
    const before = seen.length;
    sender.send(head, { ...request, body });
    while (seen.length === before) await new Promise(setImmediate);
    const content = Buffer.isBuffer(body) ? body : body === null ? Buffer.alloc(0) : bytes;
    t.equal(seen.at(-1), head + content.toString('latin1'));
    t.ok(sender.isDone);
    sender.stop();
  }
});

void t.test('a socket of which the other side is gone takes nothing, and a stream is left as it was', async (t) => {
  const { path, sockets } = await socketBackend(t, () => undefined);
  for (const body of [null, Buffer.from('ab'), Buffer.alloc(20_000), Readable.from([Buffer.from('ab')])]) {
    const { sender, told } = await connected(t, { path });
    while (sockets.length === 0) await new Promise(setImmediate);
    const other = sockets.at(-1) as Socket;
    other.destroy();
    await once(other, 'close');
    sender.send(HEAD, { ...request, body });
    t.strictSame(told, ['EPIPE']);
    if (body instanceof Readable) t.equal(body.readableFlowing, null, 'nobody reads it');
  }
});

void t.test('a write that fails later ends the sending alone: what was received can still be read', async (t) => {
  const backend = await rawBackend(t, (socket) =>
    socket.once('data', () => {
      socket.pause().write('early');
      setImmediate(() => socket.destroy());
    }),
  );
  const { sender } = await connected(t, { port: backend.port, host: '127.0.0.1' });
  const body = Readable.from(Array.from({ length: 500 }, () => Buffer.alloc(65_536)));
  sender.send('POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n', { ...request, contentLength: null, body });
  t.notOk(sender.isDone);
  while (sender.failedBy === null) await new Promise(setImmediate);
  t.match(sender.failedBy.message, /^(write|read) E(PIPE|CONNRESET)$/);
  t.notOk(sender.isDone);
  body.destroy();
});
