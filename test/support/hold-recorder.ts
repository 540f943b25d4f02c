/**
 * Loaded into a Postern by `--import`: tells its parent, when asked, for how long one turn of the event loop took at most since
 * it was asked before, in milliseconds. On Linux that is time of the main thread on a processor, so that the numbers mean the
 * same on a busy machine; elsewhere it is time by the clock.
 */
import { existsSync, openSync, readSync } from 'node:fs';

/** Its first number is the thread's time on a processor, in nanoseconds. */
const SCHEDULER = '/proc/self/schedstat';
const file = existsSync(SCHEDULER) ? openSync(SCHEDULER, 'r') : null;
const bytes = Buffer.alloc(64);

function spent(): number {
  if (file === null) return performance.now();
  return Number.parseInt(bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0)), 10) / 1e6;
}

let longest = 0;
let before = spent();
setInterval(() => {
  const now = spent();
  longest = Math.max(longest, now - before);
  before = now;
}, 1).unref();

process.on('message', () => {
  // Some turns later the one that goes on right now is over and counted.
  setTimeout(() => {
    process.send?.(longest);
    longest = 0;
  }, 5);
});
process.channel?.unref();
