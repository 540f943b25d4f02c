import t from 'tap';
import { countStreamed } from '../../src/lib/garbage.ts';

const MEBIBYTE = 1024 * 1024;

t.test('the pieces of a stream are given back while it goes on', async (t) => {
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let sent = 0; sent < 256 * MEBIBYTE; sent += 65_536) {
    countStreamed(Buffer.alloc(65_536).length);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    if (sent % MEBIBYTE === 0) await new Promise(setImmediate);
  }
  // V8 by itself lets it come to 32 MiB and more; by when it collects what depends on how busy the machine is.
  t.ok(most < 28 * MEBIBYTE, `${most} bytes at most`);
});
