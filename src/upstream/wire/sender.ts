/**
 * Writes requests on one socket, one after the other, and knows how far it has come with the latest. Reads nothing.
 */
import type { Socket } from 'node:net';
import { WriteWatch, type WriteEvents } from './failed-writes.ts';
import type { WireRequest } from './request.ts';
import { Upload, type UploadEvents } from './upload.ts';

export interface SendEvents extends UploadEvents {
  /** The kernel took nothing of the request: whatever may still be read is no answer to it. */
  onNothingSent(error: Error): void;
}

/** libuv copies text up to 16 KiB onto its stack. A longer body is not worth the copy. */
const COPY_LIMIT = 8_192;

export class Sender implements WriteEvents {
  /** Why the backend takes nothing any more. */
  failedBy: Error | null = null;
  readonly #socket: Socket;
  readonly #events: SendEvents;
  readonly #writes: WriteWatch;
  #upload: Upload | null = null;
  #tookNothing = false;

  constructor(socket: Socket, events: SendEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#writes = new WriteWatch(socket, this);
  }

  /** Nothing of the request waits to be sent. After an answer the backend would not read it, or not as what it is. */
  get isDone(): boolean {
    return this.#upload?.isUnderWay !== true && this.#socket.writableLength === 0;
  }

  /** The next word is with whoever gives the body: the backend has taken all there was. */
  get waitsForBody(): boolean {
    return this.#upload?.isUnderWay === true && !this.#socket.writableNeedDrain;
  }

  /** A small body goes with the head, as one text. */
  send(head: string, { body, contentLength }: WireRequest): void {
    const socket = this.#socket;
    this.#writes.expectRequest();
    if (body === null) socket.write(head, 'latin1');
    else if (!Buffer.isBuffer(body)) {
      // The head goes alone: if the kernel takes nothing of it, the stream is as it was.
      socket.write(head, 'latin1');
      if (this.#tookNothing) return;
      this.#upload = new Upload(socket, body, contentLength, this.#events);
      this.#upload.begin();
    } else if (body.length <= COPY_LIMIT) socket.write(head + body.toString('latin1'), 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
  }

  /** Sends no more of the request. */
  stop(): void {
    this.#upload?.stop();
    this.#upload = null;
  }

  onWriteFailed(error: Error): void {
    this.failedBy = error;
    this.#upload?.stop();
  }

  onNothingSent(error: Error): void {
    this.#tookNothing = true;
    this.#events.onNothingSent(error);
  }
}
