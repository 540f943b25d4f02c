/**
 * Reads a configuration again without keeping requests waiting: a small one at once, a large one in a thread of its own. Either way
 * it is read by the same function.
 */
import { Worker } from 'node:worker_threads';
import { readWhole, sizeOf } from '../lib/files.ts';
import type { Environment } from './document.ts';
import { loadConfig, type LoadedConfig } from './load.ts';

export interface ConfigQuestion {
  readonly file: string;
  readonly env: Environment;
}

/** In bytes, about 200 routes: read in the time that it takes to start a thread. */
const LARGE = 16_384;

/** Reads and validates the configuration. Rejects only when the thread itself fails, for want of memory say. */
export async function readConfig(question: ConfigQuestion): Promise<LoadedConfig> {
  return isLarge(question.file) ? readInThread(question) : loadConfig(question.file, question.env);
}

/** One that names an OpenAPI document may have any number of routes. */
function isLarge(file: string): boolean {
  const size = sizeOf(file);
  return size >= LARGE || (size > 0 && readWhole(file).includes('openapi'));
}

function readInThread({ file, env }: ConfigQuestion): Promise<LoadedConfig> {
  return new Promise((resolve, reject) => {
    const workerData: ConfigQuestion = { file, env: { ...env } };
    const thread = new Worker(new URL('./config-thread.js', import.meta.url), { workerData });
    thread.on('message', resolve);
    thread.on('error', reject);
    // After a result this changes nothing.
    thread.on('exit', () => reject(new Error('the thread that reads the configuration ended too early')));
    // A process that ends waits for no configuration. Listening for messages would have it wait again: so this comes last.
    thread.unref();
  });
}
