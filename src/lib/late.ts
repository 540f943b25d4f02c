/**
 * A thing that is made when it is first asked for, once. Knows nothing of the thing.
 */

export interface Late<T> {
  (): T;
  /** Whether it was made. */
  readonly made: () => boolean;
}

/** `make` that throws is asked again the next time. */
export function late<T>(make: () => T): Late<T> {
  let found: { readonly value: T } | null = null;
  const get = (): T => (found ??= { value: make() }).value;
  return Object.assign(get, { made: () => found !== null });
}
