/**
 * How many tests and assertions each test file has at least, so that none goes missing unnoticed. The list is written on
 * purpose alone, by `npm test -- --record`. Runs and reads nothing.
 */

/** Some tests assert once for each thing that happened, or was drawn: their number may fall to this share with nothing missing. */
const VARIES = 0.6;

/** One sentence for each file of the list that has fewer than before, or is gone, and for each that the list does not know. */
export function missingFrom(counts, results, isWhole) {
  const sentences = [];
  for (const [file, before] of Object.entries(counts)) {
    const now = results.get(file);
    if (now === undefined && isWhole) sentences.push(`${file}: the file is gone. ${ON_PURPOSE}`);
    if (now === undefined || now.failed > 0) continue;
    for (const what of ['tests', 'assertions'])
      if (now[what] < before[what] * (what === 'tests' ? 1 : VARIES))
        sentences.push(`${file}: ${now[what]} ${what}, ${before[what]} before. ${ON_PURPOSE}`);
  }
  if (isWhole)
    for (const file of results.keys())
      if (!Object.hasOwn(counts, file)) sentences.push(`${file}: test/counts.json does not know it. ${ON_PURPOSE}`);
  return sentences;
}

const ON_PURPOSE = 'If that is meant: npm test -- --record [FILE...]';

/** The list with the results in it; after a whole run with nothing else. Files that failed keep what they had. */
export function recorded(counts, results, isWhole) {
  const kept = isWhole ? Object.entries(counts).filter(([file]) => results.has(file)) : Object.entries(counts);
  const counted = [...results].filter(([, { failed }]) => failed === 0);
  const fresh = counted.map(([file, { tests, assertions }]) => [file, { tests, assertions }]);
  return Object.fromEntries([...new Map([...kept, ...fresh])].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
