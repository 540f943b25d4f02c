/**
 * Breaks off an answer whose client takes nothing of it any more: it would hold its connection to the backend, and what is left
 * to send, for ever. What the client sends meanwhile does not count.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Watches an answer of which something waits to be sent, until it is out or its connection is closed. Up to twice `idleTimeoutMs`
 * may pass. An answer behind others on a connection may have to wait for them; it is watched from its turn on.
 */
export function breakOffWhenStalled(res: ServerResponse, idleTimeoutMs: number): void {
  const connection = res.req.socket;
  let before = progressOf(res.socket);
  const timer = setInterval(() => {
    const now = progressOf(res.socket);
    if (now !== null && now === before) res.destroy();
    before = now;
  }, idleTimeoutMs).unref();
  const stop = (): void => {
    clearInterval(timer);
    res.off('close', stop);
    connection.off('close', stop);
  };
  res.once('close', stop);
  // An answer that never got its turn is not told that the connection is closed.
  connection.once('close', stop);
}

/** Changes with every byte that the client takes; null while nothing waits for it. */
function progressOf(socket: Socket | null): string | null {
  if (socket === null || socket.writableLength === 0) return null;
  // oxlint-disable-next-line no-underscore-dangle
  return `${socket.bytesWritten} ${socket.writableLength} ${(socket as QueueingSocket)._handle?.writeQueueSize}`;
}

/** Node's own time-out of sockets looks at this too: a large write is one until its last byte is taken. */
interface QueueingSocket extends Socket {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}
