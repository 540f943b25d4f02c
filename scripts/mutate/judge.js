/**
 * Decides of one mutant whether a test notices it. Runs the test that mirrors the file first, then others that come by the changed
 * place: those that speak of it first, then the cheapest. Believes no failure that the unchanged code may have had as well.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mirrorOf, runsAt } from './coverage.js';
import { mutated } from './mutants.js';

/** How long a test may take with a mutant: what it takes without, several times, and a start on a busy machine. */
const limitOf = (ms) => 10_000 + 5 * ms;
/** Tests of one module: nothing but the code makes them fail. */
const MIRRORS = /^test\/(?!attacks|console|faults|flows|regressions)/;

/** `tests` as measured. `budgetMs`: tests are tried until they together take as long on unchanged code. */
export async function judge(sandbox, mutant, tests, budgetMs) {
  const { module, source } = mutant;
  let spent = 0;
  sandbox.change(module, mutated(source, mutant));
  try {
    for (const test of inOrder(tests, mutant)) {
      if (spent > 0 && spent + test.ms > budgetMs) continue;
      spent += test.ms;
      const limitMs = limitOf(test.ms);
      const { outcome } = await sandbox.run(test.file, { limitMs });
      if (outcome === 'passed') continue;
      if (outcome === 'failed' && MIRRORS.test(test.file)) return { caught: true, by: test.file, outcome };
      sandbox.change(module, source);
      const again = await sandbox.run(test.file, { limitMs });
      if (again.outcome === 'passed') return { caught: true, by: test.file, outcome };
      sandbox.change(module, mutated(source, mutant));
    }
    return { caught: false, outcome: spent === 0 ? 'no test comes by' : 'all pass' };
  } finally {
    sandbox.change(module, source);
  }
}

function inOrder(tests, { module, start, was = '' }) {
  const mirror = mirrorOf(module);
  const folder = mirror.slice(0, mirror.lastIndexOf('/') + 1);
  const rank = ({ file }) => (file === mirror ? 0 : file.startsWith(folder) ? 1 : MIRRORS.test(file) ? 2 : 3);
  const coming = tests.filter((test) => test.file === mirror || runsAt(test, module, start));
  const told = sharesOf(coming, was);
  return coming.toSorted((a, b) => rank(a) - rank(b) || told.get(b) - told.get(a) || a.ms - b.ms);
}

/** How much of what a changed line speaks of each test speaks of: a word counts the more, the fewer of them have it. */
function sharesOf(tests, line) {
  const shares = new Map(tests.map((test) => [test, 0]));
  for (const word of new Set(line.match(/[A-Za-z]{5,}/g))) {
    const having = tests.filter(({ file }) => textOf(file).includes(word));
    if (having.length < tests.length) for (const test of having) shares.set(test, shares.get(test) + 1 / having.length);
  }
  return shares;
}

const texts = new Map();

function textOf(file) {
  if (!texts.has(file)) texts.set(file, existsSync(`.build/${file}`) ? readFileSync(`.build/${file}`, 'utf8') : '');
  return texts.get(file);
}
