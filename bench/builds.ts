/**
 * Makes the builds that a run measures: the one at hand, and with `--against` that of another revision, in a worktree of its own
 * that is removed again.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Build } from './postern.ts';

export interface OtherBuild extends Build {
  readonly remove: () => void;
}

/** The working tree, built by `npm run bench` before it comes here. */
export const buildAtHand = (root: string): Build => ({ name: 'Postern', folder: join(root, 'dist') });

/** Checks out and builds a revision: a tag, a branch, a hash. Throws when there is none or it does not build. */
export function buildRevision(root: string, revision: string): OtherBuild {
  const run = (cwd: string, command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  const commit = run(root, 'git', 'rev-parse', '--short', '--verify', `${revision}^{commit}`);
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const tree = join(folder, 'tree');
  const remove = (): void => {
    execFileSync('git', ['worktree', 'remove', '--force', tree], { cwd: root, stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  };
  run(root, 'git', 'worktree', 'add', '--quiet', '--detach', tree, commit);
  try {
    // The same packages need not be installed twice.
    const lockOf = (path: string): string => readFileSync(join(path, 'package-lock.json'), 'utf8');
    if (lockOf(root) === lockOf(tree)) symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    else run(tree, 'npm', 'ci', '--no-audit', '--no-fund', '--silent');
    run(tree, 'npm', 'run', '--silent', 'build');
  } catch (error) {
    remove();
    throw error;
  }
  return { name: commit, folder: join(tree, 'dist'), remove };
}
