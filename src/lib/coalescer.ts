/**
 * Runs work that many may ask for at any rate: one run at a time, and one more for all who asked during it. Between two runs
 * there is a rest, which grows with the time that a run takes. Knows nothing of the work.
 */

export interface Coalescer {
  /** Resolves when a run that began after the call has ended. */
  readonly request: () => Promise<void>;
  /** Ends it: no further run begins, and a promise that waits for one stays open. */
  readonly close: () => void;
}

export interface CoalescerOptions {
  /** The shortest rest between two runs. */
  readonly restMs?: number;
  /** The rest is at least so many times what the run before took. */
  readonly restPerRun?: number;
  /** A clock in milliseconds that never goes back. */
  readonly monotonic?: () => number;
}

/** The first run begins at once. One that fails, fails for those who asked for it, and hinders no other. */
export function createCoalescer(work: () => Promise<void>, options: CoalescerOptions = {}): Coalescer {
  const { restMs = 20, restPerRun = 1, monotonic = () => performance.now() } = options;
  /** The run under way and the rest after it. */
  let busy: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let closed = false;

  const run = async (): Promise<void> => {
    if (closed) return;
    const begunAt = monotonic();
    const done = work();
    const restLater = (): Promise<void> => rest(Math.max(restMs, restPerRun * (monotonic() - begunAt)));
    busy = done.then(restLater, restLater).then(() => void (busy = null));
    await done;
  };

  return {
    request() {
      if (busy === null) return run();
      next ??= busy.then(() => {
        next = null;
        return run();
      });
      return next;
    },
    close: () => void (closed = true),
  };
}

/** Keeps no process alive. */
const rest = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());
