/**
 * `npm test [-- FILE...]`: compiles what changed, and runs all tests, or the files named. The console and the sidecar as it is shipped
 * are built, and programs that tests start are looked for, where the files need them (tests/needs.js). With `--coverage` it also tells what they cover, which
 * takes half as long again; with `--record` it writes down how many tests they have, below which no later run may fall.
 * The exit code is that of the first step that failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { requireTools } from './require-tools.js';
import { needsOf } from './tests/needs.js';

/** Many tests wait for servers more than they compute, so more of them than there are cores. */
const AT_ONCE = 3;
/** After so long a process is ended from outside. Its tests have limits of their own, which tell more. */
const FILE_LIMIT_SECONDS = 600;
/**
 * In CI so many files that failed are run once more (`runAgain` in run-tests.js): what comes of another machine's load holds up no
 * landing, and is seen. Whoever runs the tests by hand is told of the first failure.
 */
const AGAIN_IN_CI = 2;
/** How many tests each file has at least. */
const COUNTS = 'test/counts.json';
const PLAN = '.build/test-plan.json';
/** The sidecar as it is shipped: what a bundler left out must not be there for tests alone. As far from dist/ as compiled sources are. */
const SHIPPED = '.build/shipped/sidecar';
const TAP_PLUGINS = 'node_modules/@tapjs/test/test-built/dist/esm/index.js';

/** Those of telemetry look at which packages their process has loaded. */
const APART = new Set(['attacks', 'console', 'faults', 'flows', 'regressions', 'telemetry']);

const COVERAGE = '--coverage';
const RECORD = '--record';
const args = process.argv.slice(2);
const named = args
  .filter((arg) => arg !== COVERAGE && arg !== RECORD)
  .map((file) => relative(process.cwd(), resolve(file)));
for (const file of named)
  if (!file.endsWith('.test.ts') || !existsSync(file))
    fail(`${file} is no test file. Name them like this: npm test -- test/policy/route.test.ts`);

const isWhole = named.length === 0;
const sources = isWhole ? allTests() : named;
const needs = needsOf(sources);
run('tsc', '-p', 'tsconfig.test.json');
if (needs.console) run('vite', 'build', '--config', 'src/admin/console/vite.config.ts', '--logLevel', 'warn');
// What tests cover is told of the sources, line by line.
if (needs.sidecar && !args.includes(COVERAGE)) process.env.POSTERN_SIDECAR = resolve(shippedSidecar());
requireTools(needs.tools);
buildTapPlugins();
const jobs = isWhole ? grouped(sources) : named.map((file) => [compiled(file)]);
const plan = { jobs, atOnce: AT_ONCE, limitSeconds: FILE_LIMIT_SECONDS, counts: COUNTS, whole: isWhole };
const again = isWhole && process.env.CI !== undefined ? AGAIN_IN_CI : 0;
writeFileSync(PLAN, JSON.stringify({ ...plan, again, record: args.includes(RECORD) }));
const runner = [process.execPath, 'scripts/run-tests.js', PLAN];
if (args.includes(COVERAGE)) run('c8', ...runner);
else spawn(...runner);

function allTests() {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).map((file) => `test/${file}`);
  return files.filter((file) => file.endsWith('.test.ts')).toSorted();
}

/**
 * The tests of one folder that mirrors a folder of src/ run in one process, one file after the other: most of what they
 * take is to load what they test. Tests that start servers and browsers have a process each.
 */
function grouped(sources) {
  const apart = sources.filter((file) => APART.has(folderOf(file)));
  const folders = new Set(sources.map(folderOf).filter((folder) => !APART.has(folder)));
  const together = [...folders].map((folder) => sources.filter((file) => folderOf(file) === folder));
  return [...apart.map((file) => [file]), ...together].map((files) => files.map(compiled));
}

function folderOf(file) {
  const folder = dirname(relative('test', file));
  return folder === '.' ? 'root' : folder;
}

/** Made anew when it is older than what it is made of: another run may be under way that reads it. */
function shippedSidecar() {
  const file = `${SHIPPED}/sidecar.js`;
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => `src/${name}`);
  const newest = Math.max(
    ...[...sources, 'scripts/bundle.js', 'node_modules/.package-lock.json'].map((source) => statSync(source).mtimeMs),
  );
  if (!existsSync(file) || statSync(file).mtimeMs < newest)
    spawn(process.execPath, 'scripts/bundle.js', SHIPPED, '--sidecar');
  return file;
}

function compiled(source) {
  return `.build/${source.slice(0, -3)}.js`;
}

/** tap is made without its TypeScript and mock loaders (.taprc): once after each `npm ci`, or the first run has no plugins. */
function buildTapPlugins() {
  if (existsSync(TAP_PLUGINS) && !readFileSync(TAP_PLUGINS, 'utf8').includes('@tapjs/typescript')) return;
  run('tap', 'build');
}

function run(program, ...args) {
  spawn(`node_modules/.bin/${program}`, ...args);
}

function spawn(program, ...args) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) fail(`${program} could not be run (npm ci first?): ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
