/**
 * Puts work off to the end of the event loop's turn, all together. Bytes that came with a request's head are parsed by then; and
 * a write wakes the process that waits for it, which is the dearest part of a small answer: written back to back, most find it
 * awake.
 */

let waiting: (() => void)[] = [];

/**
 * Runs when what has arrived by now has been parsed, in the order asked for; what is asked for meanwhile runs in the same turn.
 * `run` must not throw: others wait behind it.
 */
export function atTurnEnd(run: () => void): void {
  if (waiting.length === 0) setImmediate(runAll);
  waiting.push(run);
}

function runAll(): void {
  // Grows while it runs.
  for (const run of waiting) run();
  waiting = [];
}
