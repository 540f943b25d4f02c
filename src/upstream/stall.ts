/**
 * Breaks off an answer whose client takes nothing of it any more: it would hold its connection to the backend, and what is left
 * to send, for ever. What the client sends meanwhile does not count.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Watches an answer of which something waits to be sent, until it is out. Up to twice `idleTimeoutMs` may pass. */
export function breakOffWhenStalled(res: ServerResponse, idleTimeoutMs: number): void {
  let before = progressOf(res.socket);
  const timer = setInterval(() => {
    const now = progressOf(res.socket);
    if (now !== null && now === before) res.destroy();
    before = now;
  }, idleTimeoutMs).unref();
  res.once('close', () => clearInterval(timer));
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
