/**
 * The thread in which a large key file is read. Posts keys while it reads them, then what else it found, and ends.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { KeyDefinition } from './definition.ts';
import { streamHere, type ThreadMessage, type ThreadQuestion } from './read-key-file.ts';

/** Definitions in one message: taking it in and compiling it stops requests for a few milliseconds. */
const PART = 250;
/** Parts that wait to be taken in: the next is read meanwhile, and more would only take memory. */
const AHEAD = 2;

const { question, taken } = workerData as ThreadQuestion;
let posted = 0;
let part: KeyDefinition[] = [];

// A thread has no origin to name.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
const post = (message: ThreadMessage): void => parentPort?.postMessage(message);

function postPart(): void {
  for (let seen = Atomics.load(taken, 0); posted - seen >= AHEAD; seen = Atomics.load(taken, 0))
    Atomics.wait(taken, 0, seen);
  posted += 1;
  post({ part });
  part = [];
}

const rest = streamHere(question, {
  begin(records) {
    part = [];
    post({ begin: records });
  },
  keys(definitions) {
    part.push(...definitions);
    if (part.length >= PART) postPart();
  },
});
if (part.length > 0) postPart();
post({ rest });
