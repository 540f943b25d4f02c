/**
 * The runner of the tests, held against files that fail in every way that could pass for success.
 * Slow: each of those files is a process of its own, more than once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import t, { type Test } from 'tap';

/** Of a process that hangs. It has to start before, for which a busy machine takes its time. */
const LIMIT_SECONDS = 20;

// What hangs is waited for side by side.
t.jobs = 2;

const GOOD = "t.test('good', async (t) => { t.equal(1, 1); t.equal(2, 2); });";

/** Files of a folder of this run, by name; their text follows `import t from 'tap'`. */
type Files = Readonly<Record<string, string>>;

interface Run {
  readonly files: Files;
  /** Names of files that share a process; the others have one each. */
  readonly together?: readonly string[];
  readonly limitSeconds?: number;
  readonly counts?: Readonly<Record<string, { readonly tests: number; readonly assertions: number }>>;
  readonly whole?: boolean;
  readonly record?: boolean;
  readonly again?: number;
}

async function run(t: Test, { files, together = [], counts, whole = true, record = false, ...limits }: Run) {
  const { limitSeconds = 60, again } = limits;
  const sources = Object.entries(files).map(([name, text]) => [`${name}.test.js`, `import t from 'tap';\n${text}\n`]);
  const folder = t.testdir({
    'package.json': '{"type":"module"}',
    ...Object.fromEntries(sources),
    'counts.json': JSON.stringify(counts ?? {}),
  });
  const path = (name: string): string => relative('.', join(folder, `${name}.test.js`));
  const alone = Object.keys(files).filter((name) => !together.includes(name));
  const jobs = [...alone.map((name) => [path(name)]), ...(together.length === 0 ? [] : [together.map(path)])];
  const planFile = join(folder, 'plan.json');
  const countsFile = counts === undefined && !record ? null : join(folder, 'counts.json');
  writeFileSync(planFile, JSON.stringify({ jobs, atOnce: 2, limitSeconds, counts: countsFile, whole, record, again }));
  const child = spawn(process.execPath, ['scripts/run-tests.js', planFile], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  const [code] = (await once(child, 'close')) as [number];
  const [, passed, failed] = /(\d+) assertions passed, (\d+) failed\n$/.exec(text) ?? [];
  const failures = [...text.matchAll(/^FAIL \S*?(\w+)\.test\.ts: (.*)$/gm)].map(([, name, why]) => `${name}: ${why}`);
  return {
    code,
    text,
    failures,
    passed: Number(passed),
    failed: Number(failed),
    written: () => JSON.parse(readFileSync(join(folder, 'counts.json'), 'utf8')) as Record<string, unknown>,
  };
}

t.test('what passes is counted, in processes of their own and together', async (t) => {
  const files = { a: GOOD, b: `t.equal(1, 1);\n${GOOD}`, c: GOOD };
  t.match(await run(t, { files }), { code: 0, passed: 7, failed: 0, failures: [] });
  t.match(await run(t, { files, together: ['a', 'b', 'c'] }), { code: 0, passed: 7, failed: 0, failures: [] });
});

const WRONG: Readonly<Record<string, readonly [text: string, why: RegExp]>> = {
  'an assertion that fails': ["t.test('bad', async (t) => t.equal(1, 2, 'one is two'));", /^x: bad > one is two$/],
  'one outside of every test': ["t.equal(1, 2, 'one is two');", /^x: one is two$/],
  'a todo that fails': ["t.equal(1, 2, 'later', { todo: true });", /^x: later/],
  'a todo that passes': ["t.equal(1, 1, 'later', { todo: true });", /^x: later/],
  'a skip': ["t.equal(1, 2, 'never', { skip: true });", /^x: never/],
  'a test that is skipped': ["t.test('never', { skip: 'no' }, async (t) => t.ok(true));", /^x: never/],
  'a test that is to be written': ["t.test('later', { todo: true }, async (t) => t.ok(true));", /^x: later/],
  'a test without a body': ["t.test('later');", /^x: later/],
  'an empty file': ['', /^x: the file asserts nothing$/],
  'a test that asserts nothing': ["t.test('idle', async () => {});", /^x: idle: the test asserts nothing$/],
  'one beside others': ["t.test('idle', async () => {});\nt.ok(true);", /^x: idle: the test asserts nothing$/],
  'a plan that is not kept': ["t.test('short', (t) => { t.plan(2); t.ok(true); t.end(); });", /^x: short/],
  'a test that throws': ["t.test('throws', async (t) => { t.ok(true); throw new Error('oh'); });", /^x: throws > oh$/],
  'a file that throws': ["t.ok(true);\nthrow new Error('while it is loaded');", /^x: .*while it is loaded|exit code/],
  'a file that cannot be loaded': ["import './not-there.js';", /^x: /],
  'a late throw': ["setTimeout(() => { throw new Error('too late'); }, 200);\nt.ok(true);", /^x: /],
  'a rejection': ["t.ok(true);\nPromise.reject(new Error('unheard'));", /^x: /],
  'an early exit': [
    `${GOOD}\nt.test('exits', async (t) => { t.ok(true); process.exit(0); });`,
    /exits > test unfinished/,
  ],
  'a bad exit': ["t.test('exits', async (t) => { t.ok(true); process.exit(3); });", /exits > test unfinished/],
  'a process that is killed': [
    "t.test('dies', async (t) => { t.ok(true); process.kill(process.pid, 'SIGKILL'); await new Promise(() => setTimeout(() => {}, 1e6)); });",
    /was ended by SIGKILL.*"dies"/,
  ],
  '{} in t.match': ["t.test('loose', async (t) => t.match({ a: 1 }, {}));", /\{\} matches every object/],
  '{} inside a pattern': ["t.test('loose', async (t) => t.match({ a: { b: 1 } }, { a: {} }));", /\{\} matches/],
  'a part of a text inside a pattern': [
    "t.test('loose', async (t) => t.match({ a: 'bcd' }, { a: 'bc' }));",
    /^x: loose/,
  ],
  'a whole text in t.match': ["t.test('loose', async (t) => t.match('abc', 'abc'));", /use t\.equal/],
  'an empty text in t.match': ["t.test('loose', async (t) => t.match('abc', ''));", /empty text/],
  'a shorter list in t.match': ["t.test('loose', async (t) => t.match([1, 2], [1]));", /^x: loose/],
  't.has': ["t.test('loose', async (t) => t.has({ a: 1, b: 2 }, { a: 1 }));", /t\.has/],
};

/** Those that end their process: what shares it has to be run again. */
const DEADLY = [
  'a file that throws',
  'a file that cannot be loaded',
  'an early exit',
  'a bad exit',
  'a process that is killed',
];

const nameOf = (what: string): string => what.replaceAll(/\W/g, '_');

t.test('what only looks like success fails, each in a process of its own', async (t) => {
  const files = Object.fromEntries(Object.entries(WRONG).map(([what, [text]]) => [nameOf(what), text]));
  const { code, failures, passed } = await run(t, { files: { ...files, good: GOOD } });
  t.equal(code, 1);
  for (const [what, [, why]] of Object.entries(WRONG)) {
    const [own = 'passed'] = failures.filter((failure) => failure.startsWith(`${nameOf(what)}: `));
    t.match(own.replace(nameOf(what), 'x'), why, what);
  }
  t.same(
    failures.filter((failure) => failure.startsWith('good')),
    [],
  );
  t.ok(passed >= 2);
});

t.test('and together with files that are good, which count as before', async (t) => {
  const harmless = Object.entries(WRONG).filter(([what]) => !DEADLY.includes(what));
  const files = { a: GOOD, ...Object.fromEntries(harmless.map(([what, [text]]) => [nameOf(what), text])), b: GOOD };
  const { code, failures, passed } = await run(t, { files, together: Object.keys(files) });
  t.equal(code, 1);
  for (const [what] of harmless)
    t.ok(
      failures.some((failure) => failure.startsWith(`${nameOf(what)}: `)),
      what,
    );
  t.same(
    failures.filter((failure) => /^[ab]: /.test(failure)),
    [],
  );
  t.ok(passed >= 4);
});

t.test('a file that ends its process takes no results of others with it', async (t) => {
  for (const what of DEADLY) {
    const [text, why] = WRONG[what] as readonly [string, RegExp];
    const { code, failures, passed } = await run(t, {
      files: { a: GOOD, x: text, b: GOOD },
      together: ['a', 'x', 'b'],
    });
    t.equal(code, 1, what);
    t.match(failures[0], why, what);
    t.same(
      failures.filter((failure) => !failure.startsWith('x: ')),
      [],
      `${what}: no other is blamed`,
    );
    t.ok(passed >= 4, `${what}: the others count`);
  }
});

const HANGS = `${GOOD}
t.test('waits', async (t) => { t.ok(true); await new Promise(() => setInterval(() => {}, 1e6)); });`;
const ENDED = `x: the process did not end within ${LIMIT_SECONDS} s, in the test "waits"`;

t.test('a file that hangs is ended and named, with the test that it hangs in', { buffered: true }, async (t) => {
  const { code, failures, passed } = await run(t, { files: { x: HANGS, good: GOOD }, limitSeconds: LIMIT_SECONDS });
  t.same([code, failures], [1, [ENDED]]);
  t.ok(passed >= 4, 'what it had told counts too');
});

t.test('when one of several in a process hangs, the others are run', { buffered: true }, async (t) => {
  const files = { a: GOOD, x: HANGS, b: GOOD };
  const ran = await run(t, { files, together: ['a', 'x', 'b'], limitSeconds: LIMIT_SECONDS });
  t.same([ran.code, ran.failures], [1, [ENDED]]);
  t.match(ran.text, /its files are run one by one/);
  t.ok(ran.passed >= 6);
});

t.test('what fails together alone fails, and is not tried again until it passes', async (t) => {
  const files = {
    a: `globalThis.seen = true;\n${GOOD}`,
    b: "t.test('alone', async (t) => t.equal(globalThis.seen, undefined, 'nobody was here'));",
  };
  const { code, failures, text } = await run(t, { files, together: ['a', 'b'] });
  t.same([code, failures], [1, ['b: alone > nobody was here']]);
  t.match(text, /failed together: its files are run one by one/);
});

t.test('where a plan allows it, a few files that failed are run again, and named when they pass then', async (t) => {
  const once = join(mkdtempSync(join(tmpdir(), 'postern-again-')), 'was-here');
  t.teardown(() => rmSync(dirname(once), { recursive: true }));
  // It fails where nobody was before.
  const unstable = `import { existsSync, writeFileSync } from 'node:fs';
const known = existsSync(${JSON.stringify(once)});
writeFileSync(${JSON.stringify(once)}, '');
t.test('first', async (t) => t.ok(known, 'somebody was here'));`;
  const bad = "t.test('bad', async (t) => t.equal(1, 2, 'one is two'));";
  const helped = await run(t, { files: { a: GOOD, x: unstable }, again: 1 });
  t.same([helped.code, helped.passed, helped.failed], [0, 3, 0]);
  t.match(helped.text, /^UNSTABLE \S*x\.test\.ts: it failed, and passed when it was run again$/m);
  t.same(helped.failures, ['x: first > somebody was here'], 'the failure is shown all the same');
  const failing = await run(t, { files: { a: GOOD, x: bad }, again: 1 });
  t.match([failing.code, failing.passed, failing.failed], [1, 2, 1]);
  t.notMatch(failing.text, /UNSTABLE/);
  rmSync(once);
  const many = await run(t, { files: { x: unstable, y: bad }, again: 1 });
  t.match([many.code, many.failed], [1, 2], 'more than that are no accident');
});

t.test('what a file wrote to standard error is shown when it fails, and not when it passes', async (t) => {
  const files = { a: `console.error('said by a');\n${GOOD}`, x: "console.error('said by x');\nt.equal(1, 2);" };
  const { text } = await run(t, { files });
  t.match(text, /said by x/);
  t.notMatch(text, /said by a/);
});

t.test(
  'the number of tests may not fall unnoticed, and is written down on purpose alone',
  { buffered: true },
  async (t) => {
    const files = { a: GOOD, b: GOOD };
    const first = await run(t, { files, record: true });
    t.equal(first.code, 0);
    const counts = first.written() as NonNullable<Run['counts']>;
    const names = Object.keys(counts);
    t.same(Object.values(counts), [
      { tests: 1, assertions: 2 },
      { tests: 1, assertions: 2 },
    ]);
    t.equal((await run(t, { files, counts })).code, 0);
    const [a = '', b = ''] = names;
    const fewer = await run(t, { files: { a: 't.ok(true);', b: GOOD }, counts });
    t.equal(fewer.code, 1);
    t.match(fewer.failures, [/^a: 0 tests, 1 before/, /^a: 1 assertions, 2 before/]);
    const shorter = await run(t, { files: { a: "t.test('good', async (t) => t.ok(true));", b: GOOD }, counts });
    t.match([shorter.code, shorter.failures], [1, [/^a: 1 assertions, 2 before/]]);
    const gone = await run(t, { files: { a: GOOD }, counts });
    t.match([gone.code, gone.failures], [1, [/^b: the file is gone/]]);
    t.equal((await run(t, { files: { a: GOOD }, counts, whole: false })).code, 0, 'a named file is not all of them');
    const fresh = await run(t, { files: { ...files, c: GOOD }, counts });
    t.match([fresh.code, fresh.failures], [1, [/^c: test\/counts\.json does not know it/]]);
    const rerun = await run(t, { files: { a: 't.ok(true);' }, counts, record: true, whole: false });
    t.same(rerun.written(), { [a]: { tests: 0, assertions: 1 }, [b]: { tests: 1, assertions: 2 } });
    const failing = await run(t, { files: { a: 't.equal(1, 2);' }, counts, record: true, whole: false });
    t.same([failing.code, failing.written()], [1, counts], 'nothing is written down of a file that fails');
  },
);
