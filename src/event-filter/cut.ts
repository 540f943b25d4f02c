/**
 * Takes ranges out of a body. What lies between them is copied as it is; nothing is added.
 */

/** A copy without the ranges. `ranges`: start and end (exclusive) of each, alternating, in order and disjoint. */
export function cutOut(body: Buffer, ranges: readonly number[]): Buffer {
  let size = body.length;
  for (let i = 0; i < ranges.length; i += 2) size -= (ranges[i + 1] as number) - (ranges[i] as number);
  const kept = Buffer.allocUnsafe(size);
  let filled = 0;
  let from = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    filled += body.copy(kept, filled, from, ranges[i]);
    from = ranges[i + 1] as number;
  }
  body.copy(kept, filled, from);
  return kept;
}
