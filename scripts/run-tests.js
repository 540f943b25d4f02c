/**
 * `node scripts/run-tests.js PLAN`: runs the test files that a plan names, several at once, and reports what failed, and why a
 * process died. Some files share a process; when that one does not end as it should, each of them is run by itself, so that
 * no file takes the results of another with it. Exit code 1 when anything failed. Compiles nothing.
 *
 * The plan is JSON: `jobs`, lists of compiled files that share a process; `atOnce`; `limitSeconds` of one process; `counts`,
 * the file with how many tests each file has at least, or null; `whole`, whether the jobs are all the tests there are; `record`,
 * whether the counts are to be written instead of compared; `again`, how many files that failed may be run once more, or none.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { missingFrom, recorded } from './tests/counts.js';
import { createTapReader } from './tests/read-tap.js';

const TIMES = '.build/test-times.json';
const TOGETHER = '.build/together';
/** So many of the files that took longest are named. */
const SLOWEST = 10;
const PRELOAD = resolve('scripts/strict-match.js');

const plan = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const times = existsSync(TIMES) ? JSON.parse(readFileSync(TIMES, 'utf8')) : {};
const results = new Map();
await runAll(inOrder(plan.jobs));
const unstable = await runAgain();
// Whole or not at all: another run may read it.
writeFileSync(`${TIMES}.${process.pid}`, JSON.stringify(times));
renameSync(`${TIMES}.${process.pid}`, TIMES);
report();

/** The longest first, so that none of them is the last to begin; what was never run before counts as long. */
function inOrder(jobs) {
  return jobs.toSorted((a, b) => (times[nameOf(b)] ?? Infinity) - (times[nameOf(a)] ?? Infinity));
}

async function runAll(jobs) {
  const left = [...jobs];
  const worker = async () => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) await runJob(job);
  };
  await Promise.all(Array.from({ length: plan.atOnce }, worker));
}

async function runJob(files) {
  const together = await runProcess(files);
  times[nameOf(files)] = together.seconds;
  const failed = [...together.files.values()].some(({ failures }) => failures.length > 0);
  if (files.length === 1 || (together.why === null && !failed)) return files.forEach((file) => keep(file, together));
  // What was thrown late, or ended the process, may stand with a file that has nothing to do with it.
  process.stdout.write(`\n${nameOf(files)} ${together.why ?? 'failed together'}: its files are run one by one\n`);
  const alone = [];
  for (const file of files) alone.push([file, await runProcess([file])]);
  for (const [file, run] of alone) keep(file, run);
  // What happens together alone is no less wrong.
  if (files.every((file) => results.get(nameOf([file])).failed === 0)) files.forEach((file) => keep(file, together));
}

/**
 * Runs what failed once more, by itself on a machine that is quiet now; returns the files that pass then. They are named at the
 * end: each has a fault, in itself or in what it tests. When more files failed than may be run again, nothing is.
 */
async function runAgain() {
  const failed = [...results].filter(([, result]) => result.failed > 0);
  if (failed.length > (plan.again ?? 0)) return [];
  const passed = [];
  for (const [name, { file }] of failed) {
    process.stdout.write(`\n${name} is run again, by itself\n`);
    keep(file, await runProcess([file]));
    if (results.get(name).failed === 0) passed.push(name);
  }
  return passed;
}

/** Runs files in one process. `why` tells what ended it before it had said everything; null when nothing did. */
function runProcess(files) {
  return new Promise((done) => {
    const begun = performance.now();
    const child = spawn(process.execPath, ['--enable-source-maps', `--import=${PRELOAD}`, entryOf(files)], {
      // Without limits of its own for a whole process: each test has one, and the process has ours.
      env: { ...process.env, TAP_TIMEOUT: '0', TAP_FAIL_SKIP: '1', TAP_FAIL_TODO: '1', TAP_FAIL_ONLY: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const reader = createTapReader(nameOf(files.slice(0, 1)));
    let errors = '';
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, plan.limitSeconds * 1000);
    createInterface({ input: child.stdout }).on('line', reader.read);
    child.stderr.setEncoding('utf8').on('data', (text) => (errors = (errors + text).slice(-100_000)));
    child.on('error', (error) => (errors += error.message));
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      const failed = [...reader.files.values()].some(({ failures }) => failures.length > 0);
      const toldAll = reader.ended && files.every((file) => reader.files.has(nameOf([file])));
      // A file without a test says nothing, and ends well.
      const isDone = (toldAll && (code === 0 || failed)) || (reader.isSilent && code === 0);
      const ends = isLate
        ? `did not end within ${plan.limitSeconds} s`
        : signal !== null
          ? `was ended by ${signal}`
          : isDone
            ? null
            : `ended with exit code ${code} before it had told all its results`;
      const why = ends === null || reader.open === '' ? ends : `${ends}, in the test "${reader.open}"`;
      done({ why, files: reader.files, errors, seconds: (performance.now() - begun) / 1000 });
    });
  });
}

/**
 * Several files need one that loads them one after the other, each after a mark that says whose results follow. Their tests wait
 * until all are loaded: tap would take a moment without a test for the end.
 */
function entryOf(files) {
  if (files.length === 1) return files[0];
  mkdirSync(TOGETHER, { recursive: true });
  const entry = `${TOGETHER}/${nameOf(files).replaceAll(/[^\w.-]/g, '-')}.js`;
  const named = JSON.stringify(files.map((file) => [nameOf([file]), pathToFileURL(resolve(file)).href]));
  writeFileSync(
    entry,
    `import t from 'tap';
const load = async () => {
  for (const [name, url] of ${named}) {
    t.pass('file: ' + name);
    await import(url);
  }
};
void t.waitOn(load().catch((error) => (console.error(error), process.exit(1))));
`,
  );
  return entry;
}

function keep(file, { files, why, errors, seconds }) {
  const name = nameOf([file]);
  const { tests, assertions, failures } = files.get(name) ?? { tests: 0, assertions: 0, failures: [] };
  const died = why === null ? [] : [{ title: `the process ${why}`, detail: [] }];
  const empty = why === null && assertions === 0 ? [{ title: 'the file asserts nothing', detail: [] }] : [];
  const wrong = [...failures, ...died, ...empty];
  results.set(name, { file, tests, assertions, failed: wrong.length, seconds });
  for (const { title, detail } of wrong) process.stdout.write(`\nFAIL ${name}: ${title}\n${shown(detail)}`);
  if (wrong.length > 0 && errors !== '') process.stdout.write(`\nstandard error of ${name}:\n${errors}\n`);
}

/** What tap says of a failed assertion, without the source that stands in the file anyway. */
function shown(detail) {
  const source = detail.findIndex((line) => /^ *source: \|/.test(line));
  const lines = source === -1 ? detail : detail.slice(0, source);
  return lines
    .filter((line) => !/^ *(?:---|\.\.\.)$/.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

function report() {
  let failed = [...results.values()].reduce((sum, result) => sum + result.failed, 0);
  const passed = [...results.values()].reduce(
    (sum, { assertions, failed: wrong }) => sum + Math.max(0, assertions - wrong),
    0,
  );
  if (plan.counts !== null && plan.record)
    writeFileSync(plan.counts, `${JSON.stringify(recorded(readCounts(), results, plan.whole), null, 2)}\n`);
  else if (plan.counts !== null)
    for (const sentence of missingFrom(readCounts(), results, plan.whole)) {
      failed++;
      process.stdout.write(`\nFAIL ${sentence}\n`);
    }
  const slowest = [...results].toSorted(([, a], [, b]) => b.seconds - a.seconds).slice(0, SLOWEST);
  if (plan.whole)
    process.stdout.write(`\n${slowest.map(([name, { seconds }]) => `${seconds.toFixed(1)} s ${name}`).join('\n')}\n`);
  for (const name of unstable)
    process.stdout.write(`\nUNSTABLE ${name}: it failed, and passed when it was run again\n`);
  process.stdout.write(`\n${passed} assertions passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function readCounts() {
  return existsSync(plan.counts) ? JSON.parse(readFileSync(plan.counts, 'utf8')) : {};
}

/** The source that one file is compiled from; of several, their folder. */
function nameOf(files) {
  const name = relative('.build', files[0]).replace(/\.js$/, '.ts');
  return files.length === 1 ? name : `${dirname(name)}/*`;
}
