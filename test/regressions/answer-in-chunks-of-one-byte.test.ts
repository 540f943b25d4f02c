import t from 'tap';
import { collect } from '../../src/cache/collect.ts';
import type { ResponseSink } from '../../src/upstream/dispatch.ts';

const SIZE = 1_048_576;

t.test('an answer that comes in chunks of one byte is gathered in little more than its size', async (t) => {
  let sink: ResponseSink | null = null;
  const { result } = collect(
    (to) => {
      sink = to;
      return { abort: () => {}, resume: () => {} };
    },
    { maxBytes: SIZE, keeps: () => true },
  );
  const to = sink as unknown as ResponseSink;
  const packet = Buffer.alloc(16_384, 'x');
  to.onResponse(200, [], 'OK');
  const before = process.memoryUsage();
  for (let at = 0; at < SIZE; at++) to.onData(packet.subarray(at % packet.length, (at % packet.length) + 1));
  const after = process.memoryUsage();
  to.onEnd([]);
  const collected = await result;
  t.equal(collected.kind === 'whole' && collected.body.length, SIZE);
  const held = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
  t.ok(held < 32 * SIZE, `${Math.round(held / SIZE)} times its size`);
});
