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

export interface RequestBodyInput {
  readonly req: IncomingMessage;
  /** As declared in Content-Length; null when chunked. */
  readonly contentLength: number | null;
  readonly maxBytes: number;
  /** Called at most once, later, when a stream passes `maxBytes`. */
  readonly onTooLarge: () => void;
}

/** Takes the bytes that have arrived if they are all, else makes a stream of what arrives. */
export function requestBody(input: RequestBodyInput): RequestBody {
  const { req, contentLength, maxBytes } = input;
  // Node reports the last byte of a body before it reports its end.
  if (!req.complete && req.readableLength !== contentLength) return { kind: 'stream', stream: new BodyStream(input) };
  if (req.readableLength > maxBytes) return { kind: 'too_large' };
  const bytes = req.read() as Buffer | null;
  // Lets the end come, so that the server finds the request consumed.
  req.resume();
  return { kind: 'whole', bytes };
}

/**
 * The client's body behind a stream that may be destroyed on its own: undici destroys the stream it is given when a
 * request fails, and with the request itself the connection would go, before a 502 could be written.
 */
export class BodyStream extends Readable {
  readonly #req: IncomingMessage;
  readonly #input: RequestBodyInput;
  #bytes = 0;
  #listening = false;

  constructor(input: RequestBodyInput) {
    super();
    this.#req = input.req;
    this.#input = input;
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
    if (this.#bytes > this.#input.maxBytes) this.#refuse();
    else if (!this.push(chunk)) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  #refuse(): void {
    this.destroy();
    this.#input.onTooLarge();
  }
}
