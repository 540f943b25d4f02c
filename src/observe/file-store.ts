/**
 * Observations in a file, written whole and atomically, at most every ten seconds, and read at the start. A file that cannot be read
 * as one of these is set aside, or left alone: it is never written over.
 */
import { realpathSync, renameSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createMemoryStore } from './memory-store.ts';
import type { Observations } from './observations.ts';
import { repeat, type ObservationStore, type OnFallback } from './store.ts';
import { HEAD, lineOf, readDays, TAIL, type StoredDay } from './stored-days.ts';

export interface FileStoreOptions {
  readonly path: string;
  readonly observations: Observations;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onFallback: OnFallback;
  /** Told of a file that was set aside, or cannot be; `why` is fit for logs. */
  readonly onUnreadable: (why: string) => void;
}

const WRITE_MS = 10_000;

/** Reads the file; what was counted before it is there stays. */
export function createFileStore(options: FileStoreOptions): ObservationStore {
  const { observations, now, onFallback } = options;
  const memory = createMemoryStore(observations, now);
  const path = realPath(options.path);
  const mayWrite = readFile(path, options);
  let failing = false;
  const tell = (active: boolean, why: string): void => {
    if (active !== failing) onFallback(active, why);
    failing = active;
  };

  const write = async (): Promise<void> => {
    if (!mayWrite || !observations.dirty) return;
    observations.dirty = false;
    try {
      await memory.flush();
      await writeFile(path, observations);
      tell(false, '');
    } catch (error) {
      observations.dirty = true;
      tell(true, (error as Error).message);
    }
  };
  /** One after the other: the last one has what the ones before it had. */
  let writing = Promise.resolve();
  const flush = (): Promise<void> => (writing = writing.then(write));
  const repeated = repeat(WRITE_MS, flush);
  return {
    read: memory.read,
    flush,
    shared: () => null,
    async close() {
      repeated.stop();
      await flush();
      await memory.close();
    },
  };
}

/** A link stays a link: what it names is replaced. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Whether the path may be written to from now on. */
function readFile(path: string, { observations, onUnreadable }: FileStoreOptions): boolean {
  let days: readonly StoredDay[] | null;
  try {
    days = readDays(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    onUnreadable(`${path} cannot be read and is left alone: ${(error as Error).message}`);
    return false;
  }
  if (days === null) return setAside(path, onUnreadable);
  for (const { subject, day, text } of days) observations.restore(subject, day, text);
  observations.dirty = false;
  return true;
}

/** A name that nobody uses: what was set aside earlier stays, too. */
function setAside(path: string, onUnreadable: (why: string) => void): boolean {
  const aside = `${path}.unreadable-${Date.now()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    onUnreadable(`${path} holds no observations and is left alone: ${(error as Error).message}`);
    return false;
  }
  onUnreadable(`${path} holds no observations and is now ${aside}`);
  return true;
}

/** One line for each caller and day; never more than a line of it is in memory twice. */
async function writeFile(path: string, observations: Observations): Promise<void> {
  // Of this process alone: two that were given one file must not write into one draft.
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.postern-draft`);
  try {
    const file = await open(draft, 'w', 0o600);
    try {
      let lines: string[] = [];
      let size = 0;
      const put = async (): Promise<void> => {
        await file.write(lines.join(''));
        lines = [];
        size = 0;
      };
      lines.push(HEAD);
      let separator = '\n';
      for (const entry of observations.entries()) {
        const line = lineOf(entry);
        lines.push(separator, line);
        size += line.length;
        separator = ',\n';
        if (size > LINES_BYTES) await put();
      }
      lines.push(`\n${TAIL}\n`);
      await put();
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Some milliseconds of work. */
const LINES_BYTES = 262_144;
