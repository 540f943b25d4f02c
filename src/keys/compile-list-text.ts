/**
 * Reads the text of an address list without keeping requests waiting: a short one at once, a long one in a thread of its own.
 */
import { Worker } from 'node:worker_threads';
import { readListText, type ReadListText } from './list-text.ts';

/** In characters, about 1,500 entries. */
const LONG = 32_768;

/** Rejects when the thread itself fails, for want of memory say, and when `signal` gets aborted. */
export async function compileListText(text: string, signal: AbortSignal): Promise<ReadListText> {
  if (text.length < LONG) return readListText(text);
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./list-text-thread.js', import.meta.url), { workerData: text });
    const stop = (): void => void thread.terminate();
    thread.on('message', resolve);
    thread.on('error', reject);
    thread.on('exit', () => {
      signal.removeEventListener('abort', stop);
      // After a result this changes nothing.
      reject(new Error('the thread that reads the list ended too early'));
    });
    signal.addEventListener('abort', stop);
  });
}
