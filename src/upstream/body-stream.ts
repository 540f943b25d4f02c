/**
 * A client's request body as a stream of its own, for what is still arriving when it is sent on. Counts bytes; never lets a
 * failure upstream destroy the client's connection.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { countStreamed } from '../lib/garbage.ts';

export interface BodyStreamInput {
  readonly req: IncomingMessage;
  readonly maxBytes: number;
  /** Called at most once, when more than `maxBytes` have come. Whether the rest may pass all the same. */
  readonly onTooLarge: () => boolean;
}

/**
 * The client's body behind a stream that may be destroyed on its own, as it is when a request fails: with the client's request
 * itself its connection would go, before a 502 could be written.
 */
export class BodyStream extends Readable {
  readonly #req: IncomingMessage;
  readonly #onTooLarge: () => boolean;
  #maxBytes: number;
  #bytes = 0;
  #listening = false;

  constructor(input: BodyStreamInput) {
    super();
    this.#req = input.req;
    this.#maxBytes = input.maxBytes;
    this.#onTooLarge = input.onTooLarge;
  }

  override _read(): void {
    if (!this.#listening) {
      this.#listening = true;
      this.#req.on('data', this.#onChunk);
      this.#req.on('end', this.#onEnd);
    }
    this.#req.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#req.off('data', this.#onChunk);
    this.#req.off('end', this.#onEnd);
    callback(error);
  }

  readonly #onChunk = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    countStreamed(chunk.length);
    if (this.#bytes > this.#maxBytes && !this.#mayPass()) this.destroy();
    else if (!this.push(chunk)) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  #mayPass(): boolean {
    this.#maxBytes = Infinity;
    return this.#onTooLarge();
  }
}
