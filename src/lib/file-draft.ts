/**
 * Replaces a file whole: the next content is written beside it and takes its name, so that no reader ever sees half of it. The
 * draft is also a lock between processes: it can be made once, and is gone when it has become the file.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  futimesSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface Draft {
  /** Resolves when the content is on the disk. */
  readonly write: (content: Uint8Array) => Promise<void>;
  /** Puts the draft in the place of the file, whose mode and owner it takes. */
  readonly takePlace: () => void;
  /** Removes the draft, if it has not become the file. */
  readonly release: () => void;
}

const PATIENCE_MS = 2000;
const RETRY_MS = 20;
/** A writer shows that it is alive: a draft this old was left by a process that died. */
const ABANDONED_MS = 10_000;
const ALIVE_MS = 2000;

/**
 * A draft of the file at `place`, which must be no symbolic link. Null when another writer holds it for seconds. Rejects with the
 * error of the file system when there can be none.
 */
export async function takeDraft(place: string): Promise<Draft | null> {
  const path = join(dirname(place), `.${basename(place)}.postern-draft`);
  for (let waited = 0; waited <= PATIENCE_MS; waited += RETRY_MS) {
    try {
      return openDraft(path, place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED_MS) rmSync(path, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return null;
}

function openDraft(path: string, place: string): Draft {
  // Nobody but the owner reads it before it has the mode of the file.
  const descriptor = openSync(path, 'wx', 0o600);
  let open = true;
  let placed = false;
  // The thread that changes a large file works for seconds.
  const alive = setInterval(() => futimesSync(descriptor, new Date(), new Date()), ALIVE_MS);
  alive.unref();
  const close = (): void => {
    clearInterval(alive);
    if (open) closeSync(descriptor);
    open = false;
  };
  return {
    async write(content) {
      const file = await openFile(path, 'w');
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    takePlace() {
      const { mode, uid, gid } = statSync(place);
      const own = statSync(path);
      if (own.uid !== uid || own.gid !== gid) chownSync(path, uid, gid);
      chmodSync(path, mode & 0o7777);
      fsyncSync(descriptor);
      close();
      renameSync(path, place);
      placed = true;
    },
    release() {
      close();
      if (!placed) rmSync(path, { force: true });
    },
  };
}
