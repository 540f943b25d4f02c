/**
 * How much memory there is, and how it is given back earlier than V8 does by itself. V8 decides by the size of its heap, which never
 * shows what lies outside of it.
 */
import { totalmem } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What the process may have, in bytes: the limit of its container, or the memory of the machine where that is less. */
export const memoryLimit = (): number => Math.min(process.constrainedMemory() || Infinity, totalmem());

/**
 * Keeps V8's young generation at its first size, until what is returned is called. It grows by what a start throws away, keeps that
 * size for good, and 7 MB of it would serve nobody on an idle process.
 */
export function holdYoungGeneration(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  return () => setFlagsFromString('--semi-space-growth-factor=2');
}

/** In bytes. V8 by itself waits for four times as much, or eight. */
const STREAMED_LIMIT = 8 * 1024 * 1024;

let streamed = 0;

/**
 * Counts bytes of a stream that passes through, and collects young garbage each 8 MiB. Every piece that Node reads is a new buffer
 * outside of the heap, and is garbage once it was written. Using the same memory again is no dearer than touching more of it.
 */
export function countStreamed(bytes: number): void {
  streamed += bytes;
  if (streamed < STREAMED_LIMIT) return;
  streamed = 0;
  collector()({ type: 'minor' });
}

/** V8's own function, which it shows to whoever asks (`--expose-gc`). */
type Collect = (options?: { readonly type: 'minor' }) => void;

let collect: Collect | null = null;

function collector(): Collect {
  if (collect === null) {
    // The function is only put into contexts that are made after the flag is set.
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  return collect;
}
