import type { Socket } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import t from 'tap';
import { Upload } from '../../../src/upstream/wire/upload.ts';

/** A socket that keeps what it is given, and takes the next write when told. */
function wire({ slow = false } = {}) {
  const kept = { text: '', take: (): void => undefined };
  const socket = new Writable({
    highWaterMark: 8,
    write(chunk: Buffer, _encoding, done) {
      kept.text += chunk.toString('latin1');
      if (slow) kept.take = done;
      else done();
    },
  });
  return { kept, socket: socket as unknown as Socket };
}

function upload(socket: Socket, body: Readable, contentLength: number | null) {
  const told: string[] = [];
  const sent = new Upload(socket, body, contentLength, {
    onUploaded: () => void told.push('uploaded'),
    onUploadBroken: (why) => void told.push(why),
  });
  sent.begin();
  return { sent, told };
}

async function closed(body: Readable): Promise<void> {
  while (!body.closed) await new Promise(setImmediate);
  // It is so before it is told.
  await new Promise(setImmediate);
}

void t.test('a stream goes in chunks, or as it is where its length was declared', async (t) => {
  for (const [length, text] of [
    [null, '2\r\nab\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n'],
    [18, 'ab0123456789abcdef'],
  ] as const) {
    const { kept, socket } = wire();
    const body = Readable.from([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('0123456789abcdef')]);
    const { sent, told } = upload(socket, body, length);
    t.ok(sent.isUnderWay);
    await closed(body);
    t.equal(kept.text, text);
    t.notOk(sent.isUnderWay);
    t.strictSame(told, ['uploaded', 'uploaded', 'uploaded']);
  }
});

void t.test('it waits for the backend', async (t) => {
  const { kept, socket } = wire({ slow: true });
  const body = new PassThrough();
  upload(socket, body, null);
  for (let i = 0; i < 10; i += 1) body.write('0123456789');
  for (let turns = 0; turns < 3; turns += 1) await new Promise(setImmediate);
  t.ok(body.isPaused() && body.readableLength > 0);
  body.end();
  while (!kept.text.endsWith('0\r\n\r\n')) {
    kept.take();
    await new Promise(setImmediate);
  }
  t.equal(kept.text, `${'a\r\n0123456789\r\n'.repeat(10)}0\r\n\r\n`);
});

void t.test('a stream that breaks, or is not as long as declared, is told, and its end is not made up', async (t) => {
  for (const [length, parts, why, text] of [
    [5, ['abc'], 'a body shorter than its declared length', 'abc'],
    [5, ['abc', 'def'], 'a body longer than its declared length', 'abc'],
    [0, ['a'], 'a body longer than its declared length', ''],
  ] as const) {
    const { kept, socket } = wire();
    const body = Readable.from(parts.map((part) => Buffer.from(part)));
    const { sent, told } = upload(socket, body, length);
    while (sent.isUnderWay) await new Promise(setImmediate);
    t.equal(told.at(-1), why);
    t.equal(kept.text, text);
  }
  for (const [error, why] of [
    [new Error('broken'), 'broken'],
    [undefined, 'its body ended early'],
  ] as const) {
    const { kept, socket } = wire();
    const body = new PassThrough();
    const { told } = upload(socket, body, null);
    body.write('a');
    await new Promise(setImmediate);
    body.destroy(error);
    await closed(body);
    t.strictSame(told, ['uploaded', why]);
    t.equal(kept.text, '1\r\na\r\n');
  }
});

void t.test('stopped, it sends nothing more and tells nothing', async (t) => {
  const { kept, socket } = wire();
  const body = new PassThrough();
  const { sent, told } = upload(socket, body, null);
  sent.stop();
  body.end('abc');
  await new Promise(setImmediate);
  body.destroy(new Error('broken'));
  await closed(body);
  t.strictSame([kept.text, told, sent.isUnderWay], ['', [], false]);
});

void t.test('an upload that is over leaves no listener at the socket, also where it was held up', async (t) => {
  const { socket, kept } = wire({ slow: true });
  const body = new PassThrough();
  const { sent } = upload(socket, body, null);
  body.write('0123456789abcdef');
  while (socket.listenerCount('drain') === 0) await new Promise(setImmediate);
  sent.stop();
  t.equal(socket.listenerCount('drain'), 0);
  kept.take();
});

void t.test('what becomes of a stream that nobody sends any more is told nobody', async (t) => {
  for (const length of [null, 100]) {
    const { kept, socket } = wire();
    const body = new PassThrough();
    const { sent, told } = upload(socket, body, length);
    body.write('abc');
    await new Promise(setImmediate);
    sent.stop();
    const before = kept.text;
    t.same(told, ['uploaded']);
    body.write('def');
    body.destroy(new Error('broken'));
    await closed(body);
    t.same(told, ['uploaded']);
    t.equal(kept.text, before);
    t.notOk(sent.isUnderWay);
  }
});
