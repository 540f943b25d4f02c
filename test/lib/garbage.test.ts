import { spawnSync } from 'node:child_process';
import { totalmem } from 'node:os';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import t from 'tap';

import { countStreamed, memoryLimit } from '../../src/lib/garbage.ts';

const MEBIBYTE = 1024 * 1024;

t.test('the memory of the container, or of the machine where nothing is said or that is less', async (t) => {
  let said = 1000;
  t.intercept(process, 'constrainedMemory', { value: () => said });
  t.equal(memoryLimit(), 1000);
  // Control groups without a limit say so in different ways.
  for (said of [0, 2 ** 64, totalmem() * 2]) t.equal(memoryLimit(), totalmem(), String(said));
});

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

t.test('it is collected each 8 MiB, whatever pieces they come in, and not for every piece', async (t) => {
  let forced = 0;
  const count = (entries: readonly { readonly detail?: unknown }[]): void => {
    for (const { detail } of entries)
      if (((detail as { flags: number }).flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0) forced++;
  };
  const observer = new PerformanceObserver((list) => count(list.getEntries() as never));
  observer.observe({ entryTypes: ['gc'] });
  // What the test before left over.
  countStreamed(8 * MEBIBYTE);
  for (let sent = 0; sent < 32 * MEBIBYTE; sent += 65_536) countStreamed(65_536);
  countStreamed(8 * MEBIBYTE - 1);
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  observer.disconnect();
  t.equal(forced, 5);
});

/** A process that makes objects that live for a while, and tells the size of its young generation: held, then let go. */
const GROWING = `
import { getHeapSpaceStatistics } from 'node:v8';
import { holdYoungGeneration } from ${JSON.stringify(new URL('../../src/lib/garbage.js', import.meta.url).href)};
function youngBytes() {
  let kept = [];
  for (let i = 0; i < 2e6; i++) {
    kept.push({ i });
    if (kept.length > 50_000) kept = [];
  }
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size;
}
const letGo = holdYoungGeneration();
const held = youngBytes();
letGo();
process.stdout.write(JSON.stringify([held, youngBytes()]));
`;

t.test('the young generation grows only after it is let go', (t) => {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', GROWING], { encoding: 'utf8' });
  const [held = 0, grown = 0] = JSON.parse(stdout) as number[];
  t.ok(held <= grown / 2, `${held} held, ${grown} grown`);
  t.end();
});
