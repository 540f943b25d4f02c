/**
 * Listens on a Unix socket in place of a port: makes it for its owner and group alone, takes the place of one that nobody listens
 * on any more, and takes it away at the end. Never removes what is not a socket, nor a socket that somebody else made.
 */
import { once } from 'node:events';
import { lstatSync, renameSync, rmSync, type Stats } from 'node:fs';
import type { Server } from 'node:net';
import { connectToSocket } from '../lib/unix-socket.ts';

export interface UnixListener {
  /** Stops accepting, and takes the socket away, within the call. Resolves when the last connection is closed. */
  readonly close: () => Promise<void>;
}

/** What is taken away of 0777: it leaves 0660. */
const OWNER_AND_GROUP = 0o117;

/** How long a process that has the socket may take to accept a connection before it counts as alive. */
const PROBE_MS = 1000;

/** Listens on `path`, with mode 0660. @throws Error that names the field, the path and what to do */
export async function listenOnSocket(server: Server, path: string): Promise<UnixListener> {
  await removeLeftover(path);
  try {
    listen(server, path);
    await once(server, 'listening');
  } catch (error) {
    throw cannot(path, whyNot(error as NodeJS.ErrnoException));
  }
  const own = lstatSync(path, { throwIfNoEntry: false });
  return {
    close: () =>
      new Promise((resolve) => {
        sparing(path, own, () => server.close(() => resolve()));
      }),
  };
}

/** The mode is right from the first moment: the socket is bound within the call. */
function listen(server: Server, path: string): void {
  const before = process.umask(OWNER_AND_GROUP);
  try {
    server.listen({ path });
  } finally {
    process.umask(before);
  }
}

/** A socket whose process died is in the way of the next one. */
async function removeLeftover(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw cannot(path, 'there is something else, which is no socket; remove it or choose another path');
  if (await isListenedOn(path)) throw cannot(path, 'another process listens there; stop it or choose another path');
  // Another process may have been quicker: its socket stays.
  if (isSame(lstatSync(path, { throwIfNoEntry: false }), found)) rmSync(path);
}

async function isListenedOn(path: string): Promise<boolean> {
  try {
    const socket = await connectToSocket({ path, timeoutMs: PROBE_MS, highWaterMark: 1 });
    socket.destroy();
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false;
    // Its queue is full: somebody has it, who does not keep up.
    if (code === 'ETIMEDOUT') return true;
    throw cannot(
      path,
      `there is a socket already, and whether it is in use cannot be told (${message}); remove it or choose another path`,
    );
  }
}

/** Node removes whatever has the path when the server closes: what is not this server's own is put aside meanwhile. */
function sparing(path: string, own: Stats | undefined, close: () => void): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || isSame(found, own)) return close();
  const aside = `${path}.${process.pid}`;
  renameSync(path, aside);
  close();
  renameSync(aside, path);
}

const isSame = (one: Stats | undefined, other: Stats | undefined): boolean =>
  one !== undefined && one.ino === other?.ino && one.dev === other.dev;

function whyNot({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another process listens there; stop it or choose another path';
    case 'EACCES':
    case 'ENOENT':
      return 'its folder is not there, or may not be written to; make it, or choose another path';
    default:
      return message;
  }
}

const cannot = (path: string, why: string): Error =>
  new Error(`listen.path cannot be used: ${JSON.stringify(path)}: ${why}`);
