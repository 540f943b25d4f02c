/** A guard against hanging: no promise of Postern's, and far beyond what a busy machine takes. */
const HANG_MS = 90_000;

/** Resolves when `check` first gives a value that is not false or undefined; looks every 10 ms. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  what: string,
  withinMs = HANG_MS,
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await check();
    if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}
