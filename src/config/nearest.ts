/**
 * Which known name a misspelt one was meant to be. Suggests nothing rather than something far-fetched.
 */

/** The known name within a third of the word's length in edits (at least one), letter case aside; null: none is near. */
export function nearestName(word: string, known: readonly string[]): string | null {
  let lower: string | null = null;
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const name of known) {
    const allowedEdits = Math.max(1, Math.floor(Math.max(name.length, word.length) / 3));
    // Each character too many is an edit: what could not be near is not compared, however long it is.
    if (Math.abs(name.length - word.length) > allowedEdits) continue;
    const distance = editDistance((lower ??= word.toLowerCase()), name.toLowerCase());
    if (distance <= allowedEdits && distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours each count one. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        (previous[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (previous[column - 1] as number) + (same ? 0 : 1),
        swapped ? (beforePrevious[column - 2] as number) + 1 : Infinity,
      );
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[b.length] as number;
}
