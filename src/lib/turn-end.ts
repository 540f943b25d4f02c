/**
 * Puts writes to clients off to the end of the event loop's turn, all together. A write wakes the process that waits for it,
 * which is the dearest part of a small answer; written back to back, most find it awake.
 */

let waiting: (() => void)[] = [];

/** Delivers when what has arrived by now has been read, in the order asked for. `deliver` must not throw: others wait behind it. */
export function deliverAtTurnEnd(deliver: () => void): void {
  if (waiting.length === 0) setImmediate(deliverAll);
  waiting.push(deliver);
}

function deliverAll(): void {
  const deliveries = waiting;
  waiting = [];
  for (const deliver of deliveries) deliver();
}
