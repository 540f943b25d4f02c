/**
 * Protects callers from a service that fails or hangs and that they can do without. After a failure nobody calls it for a while;
 * then one caller at a time tries it until it answers. Does not decide what callers do instead.
 */
export interface CircuitBreaker {
  /** Whether a call may be made now: the circuit is closed, or it is time for one trial. */
  readonly permits: boolean;
  /** Makes a call; rejects with its error, or when it takes too long, and the circuit is then open. */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Opens the circuit for a reason known otherwise. */
  trip(why: string): void;
}

export interface CircuitBreakerOptions {
  /** A call that takes longer has failed. */
  readonly timeoutMs: number;
  /** How long the service is left alone after a failure. */
  readonly retryAfterMs: number;
  /** Told when the circuit opens, with the first reason, and when it closes. */
  readonly onChange?: ((open: boolean, why: string) => void) | undefined;
}

export function createCircuitBreaker({ timeoutMs, retryAfterMs, onChange }: CircuitBreakerOptions): CircuitBreaker {
  let open = false;
  let openUntil = 0;
  let onTrial = false;

  const setOpen = (now: boolean, why: string): void => {
    if (now !== open) onChange?.(now, why);
    open = now;
  };
  const trip = (why: string): void => {
    openUntil = performance.now() + retryAfterMs;
    setOpen(true, why);
  };

  return {
    get permits() {
      return !open || (!onTrial && performance.now() >= openUntil);
    },
    async run(call) {
      const trial = open;
      if (trial) onTrial = true;
      try {
        const answer = await inTime(call(), timeoutMs);
        setOpen(false, '');
        return answer;
      } catch (error) {
        trip(error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        if (trial) onTrial = false;
      }
    },
    trip,
  };
}

/** Rejects when the answer takes longer than this. An answer that comes later is dropped. */
export function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
