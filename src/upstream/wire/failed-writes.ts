/**
 * Keeps a failed write from throwing away what was received. A backend may answer an upload before it has read it, and close:
 * the next write then fails, and Node would end the connection. So a failed write ends the upload alone: it is never reported
 * done, which holds back the rest, and the end of the connection is found by reading up to it (RFC 9112 9.3).
 */
import type { Socket } from 'node:net';

export interface WriteEvents {
  /** The backend takes nothing any more; what it sent before may still be read. */
  onWriteFailed(error: Error): void;
  /** The kernel took nothing of the request: whatever may still be read is no answer to it. */
  onNothingSent(error: Error): void;
}

type WriteCallback = (error?: Error | null) => void;

export class WriteWatch {
  readonly #events: WriteEvents;
  /** TLS may fail within the call after it has sent something. */
  readonly #tells: boolean;
  #isFirst = false;
  #isWithin = false;
  #done: WriteCallback = () => undefined;

  constructor(socket: Socket, events: WriteEvents) {
    this.#events = events;
    this.#tells = !('encrypted' in socket);
    /* oxlint-disable no-underscore-dangle -- the only place where a failed write can be met before it destroys the socket */
    const write = socket._write.bind(socket);
    socket._write = (chunk, encoding, done) => {
      this.#begin(done);
      write(chunk, encoding, this.#onWritten);
      this.#isWithin = false;
    };
    const writeMany = socket._writev?.bind(socket);
    if (writeMany !== undefined)
      socket._writev = (chunks, done) => {
        this.#begin(done);
        writeMany(chunks, this.#onWritten);
        this.#isWithin = false;
      };
    /* oxlint-enable no-underscore-dangle */
  }

  /** The next bytes written begin a request. */
  expectRequest(): void {
    this.#isFirst = this.#tells;
  }

  /** A stream has one write under way at a time. */
  #begin(done: WriteCallback): void {
    this.#done = done;
    this.#isWithin = true;
  }

  readonly #onWritten = (error?: Error | null): void => {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (!error) this.#done(error);
    else if (isFirst && this.#isWithin) this.#events.onNothingSent(error);
    else this.#events.onWriteFailed(error);
  };
}
