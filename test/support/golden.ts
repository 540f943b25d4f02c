/**
 * What users read whole, such as the help, is kept whole in test/fixtures/golden: nothing of it changes by chance. With
 * `GOLDEN=write` in the environment a test writes what it found in place of comparing it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

/** Holds a text against the file of this name. */
export function matchesGolden(t: Test, name: string, text: string): void {
  const file = join('test/fixtures/golden', name);
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, text);
  t.equal(text, readFileSync(file, 'utf8'), `${file} (is the change wanted? Run this test once with GOLDEN=write)`);
}
