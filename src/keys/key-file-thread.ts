/**
 * The thread in which a large key file is read. Posts what it found and ends.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { readHere, type KeyFileQuestion, type ThreadMessage } from './read-key-file.ts';

/** Definitions in one message: taking it in stops requests for a few milliseconds. */
const PART = 500;

// A thread has no origin to name.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
const post = (message: ThreadMessage): void => parentPort?.postMessage(message);

const { definitions, ...rest } = readHere(workerData as KeyFileQuestion);
const all = definitions ?? [];
for (let from = 0; from < all.length; from += PART) post({ part: all.slice(from, from + PART) });
post({ valid: definitions !== null, rest });
