/**
 * `npm test [-- FILE...]`: compiles sources and tests, builds the console, makes sure of the programs that tests start, and runs the tests; all
 * of them under coverage, or only the files named. The exit code is that of the first step that failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { requireTools } from './require-tools.js';

/** The runner's whole output, for machines: .ci/run reads the counts from its end. */
const RESULTS = '.build/results.tap';
const TAP_PLUGINS = 'node_modules/@tapjs/test/test-built/dist/esm/index.js';

const named = process.argv.slice(2).map((file) => compiled(relative(process.cwd(), resolve(file))));
const absent = named.find((file) => file === null);
if (absent !== undefined) fail('Name test files: npm test -- test/policy/path.test.ts');

run('tsc', '-p', 'tsconfig.test.json');
run('vite', 'build', '--config', 'src/admin/console/vite.config.ts', '--logLevel', 'warn');
requireTools();
buildTapPlugins();
// A terminal sees progress, a log only what failed.
const reporter = process.stdout.isTTY ? 'terse' : 'min';
const tap = ['tap', '--jobs=2', '--timeout=60', `--reporter=${reporter}`, `--output-file=${RESULTS}`];
if (named.length > 0) run(...tap, ...named);
else run('c8', ...bin(tap), ...allTests().map(compiled));

function allTests() {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).map((file) => `test/${file}`);
  return files.filter((file) => file.endsWith('.test.ts')).toSorted();
}

function compiled(source) {
  return source.endsWith('.test.ts') ? `.build/${source.slice(0, -3)}.js` : null;
}

/** tap is made without its TypeScript and mock loaders (.taprc): once after each `npm ci`, or the first run has no plugins. */
function buildTapPlugins() {
  if (existsSync(TAP_PLUGINS) && !readFileSync(TAP_PLUGINS, 'utf8').includes('@tapjs/typescript')) return;
  run('tap', 'build');
}

function bin([program, ...args]) {
  return [`node_modules/.bin/${program}`, ...args];
}

function run(...command) {
  const [file, ...args] = bin(command);
  const { status, error } = spawnSync(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) fail(`${command[0]} could not be run (npm ci first?): ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
