/**
 * Puts writes to clients off to the end of the event loop's turn, all together. A write wakes the process that waits for it,
 * which is the dearest part of a small answer; written back to back, most find it awake.
 */

export interface Delivery {
  /** Must not throw: others wait behind it. */
  deliver(): void;
}

let waiting: Delivery[] = [];

/** Delivers when what has arrived by now has been read. In the order asked for. */
export function deliverAtTurnEnd(delivery: Delivery): void {
  if (waiting.length === 0) setImmediate(deliverAll);
  waiting.push(delivery);
}

function deliverAll(): void {
  const deliveries = waiting;
  waiting = [];
  for (const delivery of deliveries) delivery.deliver();
}
