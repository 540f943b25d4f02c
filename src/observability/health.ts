/**
 * Whether this process wants traffic, and why not. Readiness follows the keys and the shutdown, never Redis or a backend: a probe that
 * fails because something else is down would take down what still works.
 */

export type Readiness = 'starting' | 'ready' | 'draining';

export interface Health {
  readonly readiness: () => Readiness;
  /** Why it is not ready, or null. */
  readonly why: () => string | null;
  /** From here on it wants no new traffic; there is no way back. */
  readonly drain: () => void;
}

/** `keysLoaded` turns true once, when there are keys to decide by. */
export function createHealth(keysLoaded: () => boolean): Health {
  let draining = false;
  const readiness = (): Readiness => {
    if (draining) return 'draining';
    return keysLoaded() ? 'ready' : 'starting';
  };
  return {
    readiness,
    why: () => WHY[readiness()],
    drain: () => void (draining = true),
  };
}

const WHY: Readonly<Record<Readiness, string | null>> = {
  starting: 'The keys are not loaded yet.',
  ready: null,
  draining: 'The process is shutting down.',
};
