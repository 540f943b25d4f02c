/** How much the heap holds on to, without garbage. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
// The function is only put into contexts that are made after the flag is set.
export const collect = runInNewContext('gc') as () => void;

/** By how many bytes the heap has grown behind a call. */
export function heldAfter(run: () => void): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  run();
  collect();
  return process.memoryUsage().heapUsed - before;
}

/** A text as it is read from a packet: a view of all of it, 4 KiB. */
export function cutFromPacket(text: string): string {
  return Buffer.from(text.padEnd(4_096, 'x')).toString('latin1').slice(0, text.length);
}
