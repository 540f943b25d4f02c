/**
 * The thread in which a long address list is read. Posts what it found and ends.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { readListText } from './list-text.ts';

// A thread has no origin to name.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(readListText(workerData as string));
