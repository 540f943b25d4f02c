/**
 * Waits that end: after a time, or with the work, or when a signal comes first.
 */

export const wait = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Whether the work was done in time; it goes on otherwise. Rejects as the work does. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Makes waits that the signal ends: they reject with its reason. The work itself goes on. */
export function endedBy(signal: AbortSignal): <T>(work: Promise<T>) => Promise<T> {
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  // It may end when nobody waits any more.
  ended.catch(() => undefined);
  return (work) => Promise.race([work, ended]);
}
