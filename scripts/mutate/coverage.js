/**
 * Which tests run which part of which module, found by running each test once with V8's coverage. What was found is kept
 * beside the build, and is good for a module until that one or the test changes.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';

const KEPT = '.build/mutate/coverage';
const LIMIT_MS = 180_000;
/** Tests that start Postern as a process load all of it, though they do not import it. */
const STARTS_A_PROCESS = 'test/support/process.js';
const ENTRY = 'src/main.js';
/** So does a test that makes the reference and the schemas in a process of its own, of what these say. */
const MAKES_DOCS = `'scripts/generate-docs.js'`;
const DOCUMENTED = ['src/config/schema.js', 'src/keys/key-file.js', 'src/keys/definition.js'];

/** The test files below `.build/test` that load or mirror one of these modules, with the modules that each loads. */
export function testsOf(modules, isWanted = () => true) {
  const files = readdirSync('.build/test', { recursive: true, encoding: 'utf8' }).map((file) => `test/${file}`);
  return files
    .filter((file) => file.endsWith('.test.js') && existsSync(file.replace(/js$/, 'ts')) && isWanted(file))
    .map((file) => ({ file, loads: loadedBy(file) }))
    .filter(({ file, loads }) => modules.some((module) => loads.has(module) || mirrorOf(module) === file))
    .toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

function loadedBy(file, seen = new Set()) {
  if (seen.has(file) || !existsSync(`.build/${file}`)) return seen;
  seen.add(file);
  const text = readFileSync(`.build/${file}`, 'utf8');
  for (const [, path] of text.matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g))
    loadedBy(normalize(join(dirname(file), path)), seen);
  if (file === STARTS_A_PROCESS) loadedBy(ENTRY, seen);
  if (text.includes(MAKES_DOCS)) for (const module of DOCUMENTED) loadedBy(module, seen);
  return seen;
}

/** The test file of a module, which may run it in a process of its own rather than import it. */
export const mirrorOf = (module) => module.replace(/^src\/(.*)\.js$/, 'test/$1.test.js');

/**
 * Runs a test on the unchanged code: how long it takes, and the stretches of each module that it runs. null: it fails, now or when
 * it was run last. What is kept is taken if the test and those of `modules` that it loads are as they were.
 */
export async function measure(sandbox, { file, loads }, modules) {
  const kept = join(KEPT, `${file}.json`);
  const wanted = [file, ...modules.filter((module) => loads.has(module))];
  const known = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : null;
  // An older form of this tool kept one hash for all: that counts as nothing known.
  if (known?.hashes && wanted.every((one) => known.hashes[one] === hashOf(one))) return known.stretches && known;
  const hashes = Object.fromEntries([...loads].map((one) => [one, hashOf(one)]));
  const coverage = mkdtempSync(join(tmpdir(), 'postern-coverage-'));
  const { outcome, ms } = await sandbox.run(file, { limitMs: LIMIT_MS, coverage });
  const stretches = outcome === 'passed' ? readStretches(coverage, sandbox) : null;
  rmSync(coverage, { recursive: true });
  const found = { file, hashes, ms: Math.round(ms), stretches };
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, JSON.stringify(found));
  return stretches && found;
}

/** Of a compiled file, short enough for very many of them. */
const hashOf = (file) =>
  createHash('sha256')
    .update(readFileSync(`.build/${file}`))
    .digest('hex')
    .slice(0, 16);

/** Whether the test runs what stands at this place of the module. */
export function runsAt({ stretches }, module, offset) {
  return (stretches[module] ?? []).some(([start, end]) => start <= offset && offset < end);
}

function readStretches(folder, sandbox) {
  const base = `file://${sandbox.folder}/.build/`;
  const painted = new Map();
  for (const report of readdirSync(folder))
    for (const { url, functions } of JSON.parse(readFileSync(join(folder, report), 'utf8')).result)
      if (url.startsWith(`${base}src/`)) {
        const module = url.slice(base.length);
        painted.set(module, joined(painted.get(module), paint(functions)));
      }
  return Object.fromEntries([...painted].map(([module, marks]) => [module, stretchesOf(marks)]));
}

/** One mark for each character of a module. Functions and blocks come from the outside in: the innermost is right. */
function paint(functions) {
  const length = Math.max(...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)));
  const marks = new Uint8Array(length);
  for (const { ranges } of functions)
    for (const { startOffset, endOffset, count } of ranges) marks.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return marks;
}

const joined = (one, other) => (one === undefined ? other : other.map((mark, at) => mark | one[at]));

function stretchesOf(marks) {
  const found = [];
  let start = -1;
  for (let at = 0; at <= marks.length; at++) {
    if (marks[at] === 1 && start === -1) start = at;
    if (marks[at] !== 1 && start !== -1) {
      found.push([start, at]);
      start = -1;
    }
  }
  return found;
}
