/**
 * `npm run mutate [-- FILE|FOLDER...]`: takes out or weakens each rule of the source, one at a time, and tells which changes no
 * test notices. It mutates the compiled JavaScript in private copies, in an order that a seed fixes, until all is tried or
 * the time is over: by default an hour and two at once. The exit code is 1 if too few are caught.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, mirrorOf, testsOf } from './mutate/coverage.js';
import { judge } from './mutate/judge.js';
import { modulesOf, shuffled } from './mutate/choice.js';
import { mutantsOf } from './mutate/mutants.js';
import { explainedBy, openFindings, pageOf, readEquivalents, sourceOf, summarize, WANTED } from './mutate/report.js';
import { openSandbox } from './mutate/sandbox.js';

const PAGE = 'docs/mutation.md';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '60' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
    /** Seconds of tests, as they were measured, that a mutant may survive before it is called a survivor. */
    tests: { type: 'string', default: '45' },
    /** The tests that mirror a folder alone, none that start the whole. */
    mirrors: { type: 'boolean', default: false },
    /** Of those only the tests of the folder that a file is in: the quickest, on a busy machine. */
    nearest: { type: 'boolean', default: false },
    /** Those that were caught before are tried again. */
    again: { type: 'boolean', default: false },
    /** Only those that survived before, and nobody has explained. */
    survivors: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    /** Only tells of what was found before. */
    show: { type: 'boolean', default: false },
  },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const ofModules = values.mirrors || values.nearest;
const say = (line) => process.stdout.write(`${line}\n`);
const until = Date.now() + Number(values.minutes) * 60_000;

const { status } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.test.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(1);
const modules = modulesOf(positionals.map((path) => relative(process.cwd(), resolve(path))));
const mutants = modules.flatMap((module) => {
  const source = readFileSync(`.build/${module}`, 'utf8');
  const map = JSON.parse(readFileSync(`.build/${module}.map`, 'utf8'));
  return mutantsOf(source, map).map((mutant) => ({ ...mutant, module, source }));
});
const findings = openFindings();
const isExplained = explainedBy(readEquivalents());
if (!values.show) await tryAll();
tell();

async function tryAll() {
  const sandboxes = Array.from({ length: Number(values['at-once']) }, () => openSandbox());
  try {
    const tests = await measured(sandboxes);
    const chosen = shuffled(mutants, Number(values.seed)).slice(0, values.sample && Number(values.sample));
    const open = chosen.filter((mutant) => isOpen(mutant, findings.of(mutant)));
    say(`${mutants.length} mutants of ${modules.length} files, ${open.length} to try with ${tests.length} test files.`);
    await inTurn(sandboxes, open, async (sandbox, mutant) => {
      const finding = await judge(sandbox, mutant, tests, Number(values.tests) * 1000);
      findings.note(mutant, finding, ofModules);
      if (!finding.caught) say(`survives ${sourceOf(mutant.module)}:${mutant.line} ${mutant.was} => ${mutant.is}`);
    });
  } finally {
    for (const sandbox of sandboxes) sandbox.close();
  }
}

/** Whether a mutant of which this was found before is to be tried. */
function isOpen(mutant, finding) {
  if (values.survivors) return finding?.caught === false && !isExplained(mutant);
  return values.again || finding?.caught !== true;
}

/** Each test as it does on the unchanged code. */
async function measured(sandboxes) {
  const isWanted = (file) => !/^test\/(?:console|support)\//.test(file);
  const isMirror = (file) => !/^test\/(?:attacks|faults|flows|regressions)\//.test(file);
  const folders = new Set(modules.map((module) => dirname(mirrorOf(module))));
  const isNear = (file) => folders.has(dirname(file));
  const wanted = testsOf(
    modules,
    (file) => isWanted(file) && (!ofModules || isMirror(file)) && (!values.nearest || isNear(file)),
  );
  const tests = [];
  await inTurn(sandboxes, wanted, async (sandbox, test) => {
    const found = await measure(sandbox, test, modules);
    if (found === null) say(`not used, since it fails on the unchanged code: ${test.file}`);
    else tests.push(found);
  });
  return tests;
}

/** Each sandbox takes the next of the list until there is none, or the time is over. */
async function inTurn(sandboxes, list, act) {
  let next = 0;
  const work = async (sandbox) => {
    while (next < list.length && Date.now() < until) await act(sandbox, list[next++]);
  };
  await Promise.all(sandboxes.map(work));
}

function tell() {
  const tried = mutants.map((mutant) => findings.of(mutant)).filter((finding) => finding !== undefined);
  const summary = summarize(tried, readEquivalents());
  const page = pageOf(summary, possible());
  say(page);
  if (values.write) {
    writeFileSync(PAGE, page);
    spawnSync('node_modules/.bin/prettier', ['--write', PAGE]);
  }
  process.exitCode = summary.share >= WANTED ? 0 : 1;
}

function possible() {
  const counts = new Map([['all', mutants.length]]);
  for (const { module } of mutants) {
    const folder = module.split('/').length > 2 ? module.split('/')[1] : sourceOf(module);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return counts;
}
