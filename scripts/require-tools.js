/**
 * Makes sure of the programs that tests start as real servers. Installs a missing one from Debian where it may; otherwise
 * says what to do. Never skips.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The Debian package that brings each program, where it has another name. */
const PACKAGES = {
  promtool: 'prometheus',
  kubectl: 'kubernetes-client',
  'systemd-analyze': 'systemd',
  script: 'bsdutils',
};

/** Milliseconds for each of apt-get's two steps: a mirror that stops answering ends in the sentence below. */
const INSTALL_LIMIT = 600_000;

/** Ends the process with a clear sentence when one of the programs is missing and cannot be installed. */
export function requireTools(programs) {
  const missing = programs.filter((program) => !onPath(program));
  if (missing.length === 0) return;
  const packages = missing.map((program) => PACKAGES[program] ?? program);
  if (process.getuid?.() === 0 && onPath('apt-get')) install(packages);
  const still = missing.filter((program) => !onPath(program));
  if (still.length === 0) return;
  process.stderr.write(
    `The tests need ${still.join(', ')} on PATH (Debian and Ubuntu: apt-get install ${packages.join(' ')}).\n`,
  );
  process.exit(1);
}

function install(packages) {
  process.stdout.write(`Installing ${packages.join(', ')} for the tests\n`);
  // RUNLEVEL=1: Debian's packages then do not start the service; the tests start their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_LIMIT };
  const run = (...args) => spawnSync('apt-get', args, options).status === 0;
  return run('update', '-qq') && run('install', '-y', '-qq', '--no-install-recommends', ...packages);
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
