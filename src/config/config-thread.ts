/**
 * The thread in which a large configuration is read. Posts what was found and ends.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadConfig } from './load.ts';
import type { ConfigQuestion } from './read-config.ts';

const { file, env } = workerData as ConfigQuestion;
// A thread has no origin to name.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(loadConfig(file, env));
