/** The tool that takes rules out of the source: what it changes, and that it tells a change that is noticed from one that is not. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';

interface Mutant {
  readonly line: number;
  readonly operator: string;
  readonly was: string;
  readonly is: string;
}
interface Sandbox {
  readonly read: (file: string) => string;
  readonly change: (file: string, text: string) => void;
  readonly run: (file: string, options: { readonly limitMs: number }) => Promise<unknown>;
  readonly close: () => void;
}
interface Finding {
  readonly caught: boolean;
  readonly outcome: string;
  readonly by?: string;
}
interface Summary {
  readonly share: number;
  readonly rows: readonly Record<string, unknown>[];
  readonly survivors: readonly { readonly why?: string }[];
}

/** The scripts are plain JavaScript, which the compiler of the tests does not read. */
const load = async <T>(file: string): Promise<T> =>
  (await import(pathToFileURL(resolve('scripts/mutate', file)).href)) as T;
const { mutantsOf } = await load<{ mutantsOf: (source: string, map: unknown) => Mutant[] }>('mutants.js');
const { judge } = await load<{
  judge: (sandbox: Sandbox, mutant: unknown, tests: readonly unknown[], budgetMs: number) => Promise<Finding>;
}>('judge.js');
const { openSandbox } = await load<{ openSandbox: (root: string) => Sandbox }>('sandbox.js');
const { shuffled } = await load<{ shuffled: <T>(list: readonly T[], seed: number) => T[] }>('choice.js');
const { summarize, pageOf } = await load<{
  summarize: (findings: readonly unknown[], equivalents: readonly unknown[]) => Summary;
  pageOf: (summary: Summary, possible: ReadonlyMap<string, number>) => string;
}>('report.js');

const NO_MAP = { version: 3, sources: [], names: [], mappings: '' };
const changesOf = (source: string): string[] => mutantsOf(source, NO_MAP).map(({ is }) => is);

t.test('each rule is taken out or weakened in one place', async (t) => {
  const cases: readonly (readonly [source: string, changes: readonly string[]])[] = [
    ['if (a) return1();', ['if (false) return1();', 'if (true) return1();', 'if (a) ;']],
    ['x = a && b;', ['x = a;', 'x = b;', ';']],
    ['x = a ?? b;', ['x = a;', 'x = b;', ';']],
    ['export const f = (a) => a < 10;', ['export const f = (a) => a <= 10;', 'export const f = (a) => a < 11;']],
    ['export const L = 5000;', ['export const L = 50000;']],
    ["export const N = ['a', 'b'];", ["export const N = ['b'];", "export const N = ['a'];"]],
    [
      'export const P = /^a+$/i;',
      ['export const P = /^a+$/;', 'export const P = /^a*$/i;', 'export const P = /a+$/i;'],
    ],
    ['export const P = /(?:a|b)/;', ['export const P = /(?:a)/;', 'export const P = /(?:b)/;']],
    ['export const f = (a) => Math.ceil(a);', ['export const f = (a) => Math.floor(a);']],
    ['export const f = (a) => a.toLowerCase();', ['export const f = (a) => a;']],
    [
      'export const f = (a) => a === "b";',
      ['export const f = (a) => a !== "b";', 'export const f = (a) => a === "b~";'],
    ],
    ['this_.on("close", f);', [';', 'this_.on("close~", f);']],
    ['export const WAIT_MS = 50;', ['export const WAIT_MS = 500;']],
    ['export const LEAST_BYTES = 0;', ['export const LEAST_BYTES = 1;']],
    ['export const f = (a) => a.sort((b, c) => b - c);', ['export const f = (a) => a.sort((b, c) => b + c);']],
  ];
  for (const [source, changes] of cases) {
    const found = changesOf(source);
    for (const change of changes) t.ok(found.includes(change), `${source} => ${change}, of ${found.join('   ')}`);
  }
});

t.test('prose, messages and imports are left alone', async (t) => {
  for (const source of [
    "import { a } from './b.js';",
    "throw new Error('nothing');",
    "export const TEXT = 'More than a word.';",
    "export const schema = z.describe('x');",
    "export const check = (context) => { context.addIssue({ code: 'custom' }) };",
    'export const text = (a) => { a.toString() };',
  ])
    t.same(
      changesOf(source).filter((change) => !change.endsWith('{ ; };')),
      [],
      source,
    );
  const sorted = changesOf('export const f = (a) => a.toSorted((b, c) => (b < c ? -1 : 1));');
  t.ok(sorted.includes('export const f = (a) => a.toSorted((b, c) => (b <= c ? -1 : 1));'));
  t.notMatch(sorted.join('\n'), /2/, 'a sign is a sign');
});

const MODULE = `export function isSmall(n) {
  let steps = 0;
  while (steps < n) steps++;
  return n < 3 && n !== 99;
}
`;
const TEST = `import { isSmall } from '../src/rule.js';
if (!isSmall(2) || isSmall(3)) process.exit(1);
`;

t.test('a change that a test notices is caught, another survives, and none runs for ever', async (t) => {
  const root = t.testdir({
    '.build': { src: { 'rule.js': MODULE }, test: { 'rule.test.js': TEST } },
    'package.json': '{ "type": "module" }',
    scripts: t.fixture('symlink', resolve('scripts')),
    node_modules: t.fixture('symlink', resolve('node_modules')),
  });
  const sandbox = openSandbox(root);
  t.teardown(sandbox.close);
  const module = 'src/rule.js';
  const tests = [{ file: 'test/rule.test.js', ms: 1, stretches: {} }];
  const all = mutantsOf(MODULE, NO_MAP);
  const findingOf = async (is: string): Promise<Finding> => {
    const mutant = all.find((mutant) => mutant.is === is);
    t.ok(mutant, is);
    return judge(sandbox, { ...mutant, module, source: MODULE }, tests, 1000);
  };
  t.match(await findingOf('return n <= 3 && n !== 99;'), { caught: true, by: 'test/rule.test.js', outcome: 'failed' });
  t.match(await findingOf('return n < 3;'), { caught: false, outcome: 'all pass' });
  t.equal(sandbox.read(module), MODULE, 'and the module is as it was');
  sandbox.change(module, MODULE.replace('steps++', ''));
  t.match(await sandbox.run('test/rule.test.js', { limitMs: 1000 }), { outcome: 'endless' });
});

t.test('a seed fixes the order, and nothing is lost in it', async (t) => {
  const list = Array.from({ length: 100 }, (_, at) => at);
  t.same(shuffled(list, 1), shuffled(list, 1));
  t.notSame(shuffled(list, 1), shuffled(list, 2));
  t.same(
    shuffled(list, 1).toSorted((a, b) => a - b),
    list,
  );
});

t.test('the share is of what is not equivalent, and the page names every survivor', async (t) => {
  const finding = (line: number, caught: boolean) => ({
    file: 'src/policy/a.ts',
    line,
    operator: 'never',
    was: `if (a${line} || b)`,
    is: 'if (false)',
    caught,
  });
  const findings = [finding(1, true), finding(2, false), finding(3, false)];
  const equivalents = [{ file: 'src/policy/a.ts', was: 'if (a3 || b)', is: 'if (false)', why: 'It is faster alone.' }];
  const summary = summarize(findings, equivalents);
  t.equal(summary.share, 0.5);
  t.match(summary.rows, [
    { folder: 'policy', tried: 3, caught: 1, equivalent: 1 },
    { folder: 'all', tried: 3, caught: 1, equivalent: 1 },
  ]);
  const page = pageOf(summary, new Map([['policy', 7]]));
  t.ok(page.includes('| policy/a.ts:2 | `if (a2 \\|\\| b)` | `if (false)` |\n'));
  t.ok(page.includes('| policy/a.ts:3 | `if (a3 \\|\\| b)` | `if (false)` | It is faster alone. |\n'));
});
