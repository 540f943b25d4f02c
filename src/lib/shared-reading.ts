/**
 * Readings that many may ask for at any rate: one at a time, and one more for all who ask during it. Whoever asks is told what a
 * reading found that began after the question. Knows nothing of what is read, and keeps none of it.
 */

/** Gives how to ask. A reading that fails, fails for those who asked for it, and hinders no other. */
export function shareReadings<T>(read: () => Promise<T>): () => Promise<T> {
  let before: Promise<void> = Promise.resolve();
  let next: Promise<T> | null = null;
  const begin = (): Promise<T> => {
    next = null;
    return read();
  };
  return () => {
    if (next === null) {
      next = before.then(begin);
      const end = (): void => undefined;
      before = next.then(end, end);
    }
    return next;
  };
}
