/**
 * Whether Postern answers. While it does not, asks the health probe again and again, and raises `returns` when it is back, so
 * that everything on the page is read anew.
 */
import { createStore } from './store.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

export const connected = createStore(true);

/** How often the connection has come back. */
export const returns = createStore(0);

let retrying = false;

/** An answer came, whatever it said. */
export function answered(): void {
  if (connected.get()) return;
  connected.set(true);
  returns.set(returns.get() + 1);
}

/** No answer came. */
export function unanswered(): void {
  connected.set(false);
  if (retrying) return;
  retrying = true;
  setTimeout(() => void retry(FIRST_RETRY_MS), FIRST_RETRY_MS);
}

async function retry(delay: number): Promise<void> {
  try {
    await fetch('./healthz', { cache: 'no-store', signal: AbortSignal.timeout(LAST_RETRY_MS) });
    retrying = false;
    answered();
  } catch {
    const next = Math.min(delay * 2, LAST_RETRY_MS);
    setTimeout(() => void retry(next), next);
  }
}
