import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { collectBody, type CollectedBody } from '../../src/data-port/body.ts';

const SIZE = 1_048_576;
const hasRoom = (): boolean => true;

/** A request whose body comes as Node's parser gives it: a window on the packet for each chunk. */
function requestOf(give: (emit: (chunk: Buffer) => void) => void): {
  req: IncomingMessage;
  start: () => Promise<void>;
} {
  const req = Object.assign(new EventEmitter(), {
    destroyed: false,
    complete: false,
    readableLength: 0,
  }) as unknown as IncomingMessage;
  return {
    req,
    start: async () => {
      await new Promise(setImmediate);
      give((chunk) => req.emit('data', chunk));
      req.emit('end');
    },
  };
}

t.test('a body in chunks of one byte is held in little more than its size', async (t) => {
  const packet = Buffer.alloc(16_384, 'x');
  let held = 0;
  let body: CollectedBody = 'aborted';
  const { req, start } = requestOf((emit) => {
    const before = process.memoryUsage();
    for (let at = 0; at < SIZE; at++) emit(packet.subarray(at % packet.length, (at % packet.length) + 1));
    const after = process.memoryUsage();
    held = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
  });
  collectBody(req, { contentLength: null, maxBytes: SIZE, hasRoom }, (collected) => (body = collected));
  await start();
  t.ok(Buffer.isBuffer(body) && body.length === SIZE && body.every((byte) => byte === 0x78));
  t.ok(held < 32 * SIZE, `${Math.round(held / SIZE)} times its size`);
});

t.test('chunks of every size are put together in order', async (t) => {
  for (const sizes of [[], [1], [5, 1, 0, 4096, 1, 9000], Array.from({ length: 300 }, (_, i) => i)]) {
    let byte = 0;
    const chunks = sizes.map((size) => Buffer.from(Array.from({ length: size }, () => byte++ % 256)));
    const whole = Buffer.concat(chunks);
    for (const most of [whole.length, whole.length + 1, whole.length * 10]) {
      const { req, start } = requestOf((emit) => chunks.forEach((chunk) => emit(chunk)));
      let body: CollectedBody = 'aborted';
      collectBody(req, { contentLength: null, maxBytes: most, hasRoom }, (collected) => (body = collected));
      await start();
      t.same(body, whole);
    }
  }
});
