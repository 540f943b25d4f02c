/**
 * Programs that tests run beside Node. One that is not on PATH is installed from Debian where that is possible without asking anybody
 * (as root); else the test fails with a sentence that says what to install. Never skips.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of a program, which the Debian package provides. */
export function requireTool(name: string, debianPackage: string): string {
  const found = onPath(name) ?? installed(name, debianPackage);
  if (found === null)
    throw new Error(`The test needs "${name}" on PATH. On Debian it comes with: apt-get install ${debianPackage}`);
  return found;
}

/** A file that is no program, such as a module of nginx. */
export function requireFile(path: string, debianPackage: string): string {
  if (existsSync(path)) return path;
  installed(path, debianPackage);
  if (!existsSync(path))
    throw new Error(`${path} is missing. On Debian it comes with: apt-get install ${debianPackage}`);
  return path;
}

function onPath(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}

/** Test files run side by side: each waits its turn for the package database. */
function installed(name: string, debianPackage: string): string | null {
  const apt = onPath('apt-get');
  if (apt === null || process.getuid?.() !== 0) return null;
  const run = (...args: readonly string[]) =>
    execFileSync(apt, ['-o', 'DPkg::Lock::Timeout=300', '-y', '-qq', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: 'ignore',
    });
  try {
    run('update');
    run('install', '--no-install-recommends', debianPackage);
  } catch {
    return null;
  }
  return onPath(name);
}
