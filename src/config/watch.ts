/**
 * Notices when files change: edits in place, atomic renames, deletion and return, and the symlink swaps by which Kubernetes
 * updates a mounted ConfigMap. Waits until a file that is being written has come to rest. Reads no content.
 */
import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { lookAt } from '../lib/files.ts';

export interface FileWatch {
  /** Watches these files from now on; those that were watched before keep what is known of them. */
  setFiles(files: readonly string[]): void;
  close(): void;
}

export interface WatchTiming {
  /** How long the files must rest before a change is reported. */
  readonly settleMs: number;
  /** How often to look without being told, for file systems that tell nothing. */
  readonly pollMs: number;
}

/** Between two looks that the file system asks for. */
const LOOK_MS = 20;

const DEFAULT_TIMING: WatchTiming = { settleMs: 100, pollMs: 1000 };

/**
 * Calls `onChange` after any of the files changed, appeared or disappeared, once for changes that come together.
 * Keeps no process alive.
 */
export function watchFiles(files: readonly string[], onChange: () => void, timing = DEFAULT_TIMING): FileWatch {
  let known = new Map<string, string>();
  let watchers: FSWatcher[] = [];
  let settling: NodeJS.Timeout | null = null;
  let looking: NodeJS.Timeout | null = null;
  let closed = false;

  const isChanged = (): boolean => [...known].some(([file, state]) => stateOf(file) !== state);

  /** Two looks that agree, with a rest between them, are a file that nobody is writing. */
  const settle = (before: Map<string, string>): void => {
    settling = setTimeout(() => {
      settling = null;
      const now = statesOf(known.keys());
      if (!isEqual(now, before)) return settle(now);
      if (isEqual(now, known)) return;
      known = now;
      onChange();
      arm();
    }, timing.settleMs).unref();
  };
  const look = (): void => {
    if (settling === null && !closed && isChanged()) settle(statesOf(known.keys()));
  };
  /** What happens in a directory is mostly not about these files, and a log in it happens all the time. */
  const lookSoon = (): void => {
    looking ??= setTimeout(() => {
      looking = null;
      look();
    }, LOOK_MS).unref();
  };

  /**
   * A watch follows the directory that it was opened on, not its name: after a change that may be another one. What happened
   * between the two watches is looked for.
   */
  const arm = (): void => {
    for (const watcher of watchers) watcher.close();
    watchers = [...new Set([...known.keys()].map((file) => dirname(file)))].flatMap((directory) =>
      watchDirectory(directory, lookSoon),
    );
    look();
  };

  const setFiles = (wanted: readonly string[]): void => {
    known = new Map(wanted.map((file) => [file, known.get(file) ?? stateOf(file)]));
    arm();
  };
  setFiles(files);
  const poll = setInterval(look, timing.pollMs).unref();
  return {
    setFiles,
    close: () => {
      closed = true;
      clearInterval(poll);
      if (settling !== null) clearTimeout(settling);
      if (looking !== null) clearTimeout(looking);
      for (const watcher of watchers) watcher.close();
      watchers = [];
    },
  };
}

/** A directory that is not there is left to the poll. */
function watchDirectory(directory: string, onEvent: () => void): FSWatcher[] {
  try {
    const watcher = watch(directory, { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
}

const statesOf = (files: Iterable<string>): Map<string, string> =>
  new Map([...files].map((file) => [file, stateOf(file)]));

/** What tells one state of a file from the next, through any chain of symlinks; one that cannot be looked at is a state, too. */
function stateOf(file: string): string {
  const stats = lookAt(file);
  return typeof stats === 'string' ? stats : [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ');
}

const isEqual = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([file, state]) => b.get(file) === state);
