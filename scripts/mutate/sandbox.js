/**
 * A private copy of what the tests run, in which a module can be changed while others work in the folder itself: `.build` is
 * copied, everything else is linked to. Runs one test file at a time, and lets none run for ever.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BUILD = '.build';
/** These are made by tests, or are no matter of theirs. */
const LEFT_OUT = new Set([BUILD, '.tap', '.git', 'coverage']);
/** Behind a link these would find the build of `root` beside them. */
const COPIED = 'scripts';

/** Copies the compiled tree of `root`. `run` and `change` take paths below `.build`. */
export function openSandbox(root = '.', tree = ['src', 'test']) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-mutate-'));
  for (const name of readdirSync(root)) {
    if (name === COPIED) cpSync(join(root, name), join(folder, name), { recursive: true });
    else if (!LEFT_OUT.has(name)) symlinkSync(resolve(root, name), join(folder, name));
  }
  for (const name of tree) cpSync(join(root, BUILD, name), join(folder, BUILD, name), { recursive: true });
  const path = (file) => join(folder, BUILD, file);
  let running = null;
  const close = () => {
    if (running !== null) endGroup(running);
    rmSync(folder, { recursive: true, force: true });
  };
  // Also when the whole is broken off.
  process.once('exit', close);
  return {
    folder,
    read: (file) => readFileSync(path(file), 'utf8'),
    change: (file, text) => writeFileSync(path(file), text),
    run: async (file, options) => {
      const test = startTest(folder, join(BUILD, file), options);
      running = test.pid;
      const result = await test.end;
      running = null;
      return result;
    },
    close: () => {
      process.off('exit', close);
      close();
    },
  };
}

/** `end`: what became of a test file: `passed`, `failed`, or `endless` if it did not end within `limitMs`. */
function startTest(folder, file, { limitMs, coverage }) {
  const seconds = String(Math.ceil(limitMs / 1000));
  const env = { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT: seconds, NODE_V8_COVERAGE: coverage };
  if (coverage === undefined) delete env.NODE_V8_COVERAGE;
  const started = performance.now();
  // A group of its own, so that what it started ends with it.
  const child = spawn(process.execPath, ['--import=./scripts/strict-match.js', file], {
    cwd: folder,
    env,
    detached: true,
    stdio: 'ignore',
  });
  const end = new Promise((done) => {
    let outcome = null;
    const timer = setTimeout(() => {
      outcome = 'endless';
      endGroup(child.pid);
    }, limitMs);
    child.on('error', (error) => {
      throw error;
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      endGroup(child.pid);
      done({ outcome: outcome ?? (code === 0 ? 'passed' : 'failed'), ms: performance.now() - started });
    });
  });
  return { pid: child.pid, end };
}

function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
