/**
 * Puts work off to the end of the event loop's turn, where all of it runs together. Bytes that came with a request's head are
 * parsed by then. And a write that wakes the process at the other end is the dearest part of a small answer: of several in a row,
 * most find it awake.
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
