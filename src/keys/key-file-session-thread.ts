/**
 * The thread in which a large key file is changed. Says whether it could be read, then answers questions until it is ended.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { answerOf, openBytes, type Question, type SessionData } from './key-file-session.ts';

// A thread has no origin to name.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
const post = (message: unknown): void => parentPort?.postMessage(message);

const opened = openBytes(workerData as SessionData);
if (opened.ok) {
  const file = opened.value;
  parentPort?.on('message', (question: Question) => post(answerOf(file, question)));
  post({ ok: true, value: null });
} else post(opened);
