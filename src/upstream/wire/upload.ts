/**
 * Sends a stream as the content of a request, as fast as the backend takes it and no faster, in chunks or by its declared
 * length. A stream that fails, or is longer or shorter than declared, ends the request: nothing is made up.
 */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

export interface UploadEvents {
  /** More was sent. */
  onUploaded(): void;
  /** The content cannot be sent to its end. */
  onUploadBroken(why: string): void;
}

export class Upload {
  readonly #socket: Socket;
  readonly #body: Readable;
  /** Bytes still to come; null: chunked. */
  #left: number | null;
  readonly #events: UploadEvents;
  #over = false;

  constructor(socket: Socket, body: Readable, contentLength: number | null, events: UploadEvents) {
    this.#socket = socket;
    this.#body = body;
    this.#left = contentLength;
    this.#events = events;
  }

  /** Whether there is more to be sent. */
  get isUnderWay(): boolean {
    return !this.#over;
  }

  begin(): void {
    this.#body.on('error', this.#onError);
    this.#body.on('close', this.#onClose);
    this.#body.on('end', this.#onEnd);
    this.#body.on('data', this.#onData);
  }

  /** Sends no more. */
  stop(): void {
    if (!this.#over) this.#finish();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (chunk.length === 0) return;
    const goesOn = this.#left === null ? this.#writeChunk(chunk) : this.#writeOfLength(chunk);
    if (this.#over) return;
    this.#events.onUploaded();
    if (!goesOn) {
      this.#body.pause();
      this.#socket.once('drain', this.#onDrain);
    }
  };

  #writeChunk(chunk: Buffer): boolean {
    const socket = this.#socket;
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk);
    const goesOn = socket.write('\r\n', 'latin1');
    socket.uncork();
    return goesOn;
  }

  #writeOfLength(chunk: Buffer): boolean {
    this.#left = (this.#left as number) - chunk.length;
    if (this.#left < 0) {
      this.#break('a body longer than its declared length');
      return false;
    }
    return this.#socket.write(chunk);
  }

  readonly #onDrain = (): void => {
    if (!this.#over) this.#body.resume();
  };

  readonly #onEnd = (): void => {
    if (this.#over) return;
    if (this.#left !== null && this.#left > 0) {
      this.#break('a body shorter than its declared length');
      return;
    }
    this.#finish();
    if (this.#left === null) this.#socket.write('0\r\n\r\n', 'latin1');
    this.#events.onUploaded();
  };

  readonly #onError = (error: Error): void => this.#break(error.message);

  readonly #onClose = (): void => this.#break('its body ended early');

  #break(why: string): void {
    if (this.#over) return;
    this.#finish();
    this.#events.onUploadBroken(why);
  }

  #finish(): void {
    this.#over = true;
    this.#body.off('data', this.#onData);
    this.#body.off('end', this.#onEnd);
    this.#body.off('close', this.#onClose);
    this.#socket.off('drain', this.#onDrain);
  }
}
