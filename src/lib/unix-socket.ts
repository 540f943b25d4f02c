/**
 * Unix sockets: how long their paths may be, and how to connect to one. Sends nothing, and removes nothing.
 */
import net, { type Socket } from 'node:net';
import { coded } from './connect.ts';
import { wait } from './waiting.ts';

/** The longest path of a socket, in bytes (`sun_path` without its NUL). Node would cut a longer one, and name another file. */
export const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/** The path in `unix:PATH`; null for a URL of another kind. */
export const socketPathOf = (url: string): string | null => (url.startsWith('unix:') ? url.slice(5) : null);

/** What keeps a path from being a socket's, as the end of a sentence about the field; null: nothing. */
export function socketPathProblem(path: string): string | null {
  if (path.includes('\0')) return 'must be the path of a Unix socket, without a NUL';
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return null;
  return `is too long for the path of a Unix socket: ${bytes} bytes, where the system takes ${MAX_SOCKET_PATH_BYTES}: ${JSON.stringify(path)}`;
}

export interface SocketConnectRequest {
  readonly path: string;
  readonly timeoutMs: number;
  readonly highWaterMark: number;
  /** Handed in by tests that need a listener whose queue is full. */
  readonly open?: (options: net.IpcNetConnectOpts) => Socket;
}

/** How long after a refusal for a full queue the next attempt is made. */
const FULL_QUEUE_MS = 20;

/**
 * Connects, within the time. A listener that does not keep up has a full queue, and the kernel then refuses at once where
 * TCP would wait: that is tried again.
 *
 * @throws Error with the `code` of what went wrong; `ETIMEDOUT` when time ran out.
 */
export async function connectToSocket(request: SocketConnectRequest): Promise<Socket> {
  const { path, timeoutMs } = request;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt(request);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') throw error;
      if (performance.now() + FULL_QUEUE_MS > deadline)
        throw coded('ETIMEDOUT', `connect to ${path} took longer than ${timeoutMs / 1000} s; ${message}`);
      await wait(FULL_QUEUE_MS);
    }
  }
}

function attempt({ path, highWaterMark, open = net.connect }: SocketConnectRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options: net.IpcNetConnectOpts & { readonly highWaterMark: number } = { path, highWaterMark };
    const socket = open(options);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
