/**
 * Turns a client's request body into what is cheapest and safest to send on: its bytes, if all have arrived, else a
 * stream of its own. Counts bytes either way; never lets a failure upstream destroy the client's connection.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

export type RequestBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer | null }
  | { readonly kind: 'stream'; readonly stream: BodyStream }
  | { readonly kind: 'too_large' };

/** Reads what has arrived. `onTooLarge` is called at most once, later, for a stream that passes `maxBytes`. */
export function requestBody(req: IncomingMessage, maxBytes: number, onTooLarge: () => void): RequestBody {
  if (!req.complete) return { kind: 'stream', stream: new BodyStream(req, maxBytes, onTooLarge) };
  if (req.readableLength > maxBytes) return { kind: 'too_large' };
  return { kind: 'whole', bytes: req.read() as Buffer | null };
}

/**
 * The client's body behind a stream that may be destroyed on its own: undici destroys the stream it is given when a
 * request fails, and with the request itself the connection would go, before a 502 could be written.
 */
export class BodyStream extends Readable {
  readonly #req: IncomingMessage;
  readonly #maxBytes: number;
  readonly #onTooLarge: () => void;
  #bytes = 0;
  #listening = false;

  constructor(req: IncomingMessage, maxBytes: number, onTooLarge: () => void) {
    super();
    this.#req = req;
    this.#maxBytes = maxBytes;
    this.#onTooLarge = onTooLarge;
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
    if (this.#bytes > this.#maxBytes) this.#onTooLarge();
    else if (!this.push(chunk)) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };
}
