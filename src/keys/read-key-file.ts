/**
 * Reads a key file without keeping requests waiting: a small one at once, a large one in a thread of its own, whose memory goes
 * with it. Either way the file is read by the same function.
 */
import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Environment } from '../config/document.ts';
import { formatErrors } from '../config/problem.ts';
import type { KeyDefinition, SharedRecords } from './definition.ts';
import { loadKeyFile } from './key-file.ts';

/** What a key file said. `definitions` is null when there is anything in `errors`. */
export interface KeyFileReading {
  readonly definitions: readonly KeyDefinition[] | null;
  readonly records: SharedRecords;
  /** One sentence each, `FILE:LINE:COL` first, in reading order. */
  readonly errors: readonly string[];
  /** The key file and every file that `${file:}` read. */
  readonly files: readonly string[];
}

export interface KeyFileQuestion {
  readonly file: string;
  readonly env: Environment;
  /** The names of the configured APIs; null: any may be named. */
  readonly apis?: readonly string[] | null;
}

/** What the thread posts: definitions in parts, since taking all of them in at once would stop requests for a while; then the rest. */
export type ThreadMessage =
  | { readonly part: readonly KeyDefinition[] }
  | { readonly valid: boolean; readonly rest: Omit<KeyFileReading, 'definitions'> };

/** In bytes, about 400 keys: read in a tenth of a second, which is also about what it takes to start a thread. */
const LARGE = 65_536;

/**
 * Reads the file; what is wrong with it is in `errors`. Rejects when the thread itself fails, for want of memory say, and when
 * `signal` is or gets aborted.
 */
export async function readKeyFile(question: KeyFileQuestion, signal: AbortSignal): Promise<KeyFileReading> {
  signal.throwIfAborted();
  const size = statSync(question.file, { throwIfNoEntry: false })?.size ?? 0;
  return size < LARGE ? readHere(question) : readInThread(question, signal);
}

/** The same in the thread that asks. */
export function readHere({ file, env, apis = null }: KeyFileQuestion): KeyFileReading {
  const { definitions, records, problems, files } = loadKeyFile(file, env, apis);
  return { definitions, records, errors: formatErrors(problems), files };
}

function readInThread({ env, ...question }: KeyFileQuestion, signal: AbortSignal): Promise<KeyFileReading> {
  return new Promise((resolve, reject) => {
    const workerData: KeyFileQuestion = { ...question, env: { ...env } };
    const stop = (): void => void thread.terminate();
    const thread = new Worker(new URL('./key-file-thread.js', import.meta.url), { workerData });
    const definitions: KeyDefinition[] = [];
    thread.on('message', (message: ThreadMessage) => {
      if ('part' in message) definitions.push(...message.part);
      else resolve({ ...message.rest, definitions: message.valid ? definitions : null });
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
