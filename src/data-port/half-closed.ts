/**
 * Serves clients that close their side of a connection once they have sent all: they still read (RFC 9112 9.6). A client that is
 * gone looks the same until something is sent to it. So an interim response is sent, which every client has to pass over (RFC
 * 9110 15.2). Answers nothing, and judges no request.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { latestAnswerOn } from '../lib/pipelining.ts';

/** How long to wait for the answer before the client is tried, and again between two tries. */
const PATIENCE_MS = 1000;
/** A client that is gone answers with a reset, which the next write then meets. */
const RESET_MS = 100;

/** Lets requests be answered on connections that their clients closed on their side. To be called before the server listens. */
export function serveHalfClosed(server: Server): void {
  // Node breaks them off otherwise. Its documentation does not name this option.
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  const watch = (socket: Socket): void => void socket.once('end', () => look(socket, -1, PATIENCE_MS));
  server.on('connection', watch);
  // A TLS socket is another one than the connection that it is made from.
  server.on('secureConnection', watch);
}

/** `sent`: how much had been written when the client was last looked at. */
function look(socket: Socket, sent: number, waitMs: number): void {
  setTimeout(() => {
    if (socket.destroyed) return;
    const res = latestAnswerOn(socket);
    if (res === null || res.writableFinished) return;
    const isSilent = socket.bytesWritten === sent || sent === -1;
    if (!isSilent) look(socket, socket.bytesWritten, PATIENCE_MS);
    // Between the pieces of an answer no interim response can be sent.
    else if (res.headersSent && sent !== -1) socket.destroy();
    else if (!res.headersSent && res.socket !== null && res.req.httpVersionMinor > 0) ask(socket, waitMs);
    else look(socket, socket.bytesWritten, waitMs);
  }, waitMs).unref();
}

function ask(socket: Socket, waitMs: number): void {
  const askOnce = (): void => {
    const res = latestAnswerOn(socket);
    if (res !== null && !res.headersSent && res.socket !== null) res.writeProcessing();
  };
  askOnce();
  setTimeout(() => {
    askOnce();
    look(socket, socket.bytesWritten, waitMs * 2);
  }, RESET_MS).unref();
}
