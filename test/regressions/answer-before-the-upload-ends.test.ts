import { once } from 'node:events';
import net from 'node:net';
import t, { type Test } from 'tap';
import { SERVER_SECRET, startFlow } from '../support/flow.ts';
import { rawBackend } from '../support/upstream.ts';

const UPLOAD = 20 * 1024 * 1024;
const ANSWER = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large';
const TRIES = 16;

/** Uploads as fast as it is taken, and resolves with all that was answered. */
async function upload(t: Test, port: number, fields: string, frame: (chunk: Buffer) => Buffer): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (text.includes('too large')) socket.destroy();
  });
  socket.write(`POST /v1/upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SERVER_SECRET}\r\n${fields}\r\n\r\n`);
  const chunk = frame(Buffer.alloc(64 * 1024, 'x'));
  let left = UPLOAD / (64 * 1024);
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= 1;
      if (!socket.write(chunk)) return void socket.once('drain', more);
    }
  };
  more();
  await once(socket, 'close');
  return text;
}

const plain = (chunk: Buffer): Buffer => chunk;
const chunked = (chunk: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);

void t.test('an answer reaches the client though the backend takes no more of the upload', async (t) => {
  for (const [how, end] of [
    ['closes', (socket: net.Socket) => socket.destroy()],
    ['resets', (socket: net.Socket) => socket.resetAndDestroy()],
    ['closes its side', (socket: net.Socket) => socket.end()],
  ] as const) {
    const backend = await rawBackend(t, (socket) => {
      socket.once('data', () => {
        socket.pause().write(ANSWER);
        setTimeout(() => end(socket), 5);
      });
    });
    const { postern } = await startFlow(t, { api: { upstream: backend.url, maxBodyBytes: 2 * UPLOAD } });
    for (const [fields, frame] of [
      [`Content-Length: ${UPLOAD}`, plain],
      ['Transfer-Encoding: chunked', chunked],
    ] as const) {
      const answers: string[] = [];
      for (let i = 0; i < TRIES; i += 1) answers.push(await upload(t, postern.port, fields, frame));
      const whole = answers.filter((text) => /^HTTP\/1\.1 413 [^]*too large/.test(text));
      t.equal(whole.length, TRIES, `${how}, ${fields}: ${answers.find((text) => !whole.includes(text)) ?? ''}`);
    }
  }
});
