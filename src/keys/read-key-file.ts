/**
 * Reads a key file without keeping requests waiting: a small one at once, a large one in a thread of its own, whose memory goes
 * with it. Either way the file is read by the same function, and its keys come in parts.
 */
import { Worker } from 'node:worker_threads';
import type { Environment } from '../config/document.ts';
import { formatErrors } from '../config/problem.ts';
import { sizeOf } from '../lib/files.ts';
import type { KeyDefinition, SharedRecords } from './definition.ts';
import { streamKeyFile } from './key-file.ts';

/** What a key file said, but for its keys. */
export interface KeyFileReading {
  /** false when there is anything in `errors`: the keys that came count for nothing. */
  readonly valid: boolean;
  readonly records: SharedRecords;
  /** One sentence each, `FILE:LINE:COL` first, in reading order. */
  readonly errors: readonly string[];
  /** The key file and every file that `${file:}` read. */
  readonly files: readonly string[];
}

/** Gets the keys while they are read. */
export interface KeyTaker {
  /** All keys come from here on, after these records; what came before counts for nothing. */
  readonly begin: (records: SharedRecords) => void;
  readonly keys: (part: readonly KeyDefinition[]) => void;
}

export interface KeyFileQuestion {
  readonly file: string;
  readonly env: Environment;
  /** The names of the configured APIs; null: any may be named. */
  readonly apis?: readonly string[] | null;
}

/** What the thread gets. `taken`: how many parts were taken in; it waits for that. */
export interface ThreadQuestion {
  readonly question: KeyFileQuestion;
  readonly taken: Int32Array;
}

export type ThreadMessage =
  { readonly begin: SharedRecords } | { readonly part: readonly KeyDefinition[] } | { readonly rest: KeyFileReading };

/** In bytes, about 400 keys: read in less time than it takes to start a thread. */
const LARGE = 65_536;

/**
 * The same for a start, which keeps no request waiting: in a thread of its own a file takes nearly half as much time again. What is
 * larger takes memory that should go with the thread.
 */
export const LARGE_AT_START = 16_777_216;

/** For whom asks for the rest alone. */
const NOBODY: KeyTaker = { begin: () => undefined, keys: () => undefined };

/**
 * Reads the file; what is wrong with it is in `errors`. From `large` bytes on it has a thread. Rejects when the thread itself fails,
 * for want of memory say, and when `signal` is or gets aborted.
 */
export async function readKeyFile(
  question: KeyFileQuestion,
  signal: AbortSignal,
  taker: KeyTaker = NOBODY,
  large: number = LARGE,
): Promise<KeyFileReading> {
  signal.throwIfAborted();
  return sizeOf(question.file) < large ? streamHere(question, taker) : readInThread(question, signal, taker);
}

/** The same in the thread that asks. */
export function streamHere(question: KeyFileQuestion, taker: KeyTaker): KeyFileReading {
  const { valid, records, problems, files } = streamKeyFile(question, {
    begin: taker.begin,
    key: (definition) => taker.keys([definition]),
  });
  return { valid, records, errors: formatErrors(problems), files };
}

function readInThread(
  { env, ...rest }: KeyFileQuestion,
  signal: AbortSignal,
  taker: KeyTaker,
): Promise<KeyFileReading> {
  return new Promise((resolve, reject) => {
    const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const workerData: ThreadQuestion = { question: { ...rest, env: { ...env } }, taken };
    const stop = (): void => void thread.terminate();
    const thread = new Worker(new URL('./key-file-thread.js', import.meta.url), { workerData });
    thread.on('message', (message: ThreadMessage) => {
      if ('begin' in message) taker.begin(message.begin);
      else if ('rest' in message) resolve(message.rest);
      else {
        taker.keys(message.part);
        // Requests come first: the thread goes on when their turn is over.
        setImmediate(() => {
          Atomics.add(taken, 0, 1);
          Atomics.notify(taken, 0);
        });
      }
    });
    thread.on('error', reject);
    thread.on('exit', () => {
      // The signal outlives the reading, and would keep all that was read.
      signal.removeEventListener('abort', stop);
      // After a result this changes nothing.
      reject(new Error('the thread that reads the key file ended too early'));
    });
    signal.addEventListener('abort', stop);
  });
}
