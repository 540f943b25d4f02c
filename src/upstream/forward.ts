/**
 * Streams one exchange between a client and a backend, with backpressure both ways, and says how it ended.
 * Never writes an answer of its own, and never lets a broken answer look whole: it breaks the client's connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { withoutField } from '../lib/header-list.ts';
import { atTurnEnd } from '../lib/turn-end.ts';
import { endWhole } from '../lib/whole-answer.ts';
import { BodyStream } from './body-stream.ts';
import type { Dispatch, Flight, ResponseSink, UpstreamRequest } from './dispatch.ts';
import type { UpstreamFailure } from './failure.ts';
import { clientTrailers } from './headers.ts';
import type { Upstream } from './pool.ts';
import { breakOffWhenStalled } from './stall.ts';

export interface ForwardInput {
  readonly upstream: Upstream;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** `body` is `req` itself for a body that streams through. */
  readonly request: UpstreamRequest;
  /** How the upstream is asked. */
  readonly dispatch: Dispatch;
  /** Asks somebody else for the answer, such as a cache, who may ask the upstream; null asks the upstream. */
  readonly send: ((sink: ResponseSink) => Flight) | null;
  /** For a body that streams; declared lengths were judged before. */
  readonly maxBodyBytes: number;
  /** Called at most once, when more than that have come. Whether the rest may pass all the same. */
  readonly onTooLarge: () => boolean;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** The final response headers are there, so many seconds after the request was handed over. */
  readonly onAnswered: (upstreamSeconds: number) => void;
  /** The final field list for the client, flat. */
  readonly answerHeaders: (rawHeaders: readonly string[]) => string[];
  /** Called once. Unless the headers of an answer were sent, the answer is the caller's to write. */
  readonly onSettled: (result: ForwardResult) => void;
}

export type ForwardResult =
  | { readonly kind: 'answered'; readonly status: number }
  /** Where an answer had begun, the client's connection is broken. */
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }
  | { readonly kind: 'body_too_large' }
  | { readonly kind: 'client_gone' };

/** Starts forwarding. `abort` gives it up silently: `onSettled` is not called any more, and the client is the caller's. */
export function forward(input: ForwardInput): { readonly abort: () => void } {
  const forwarding = new Forwarding(input);
  forwarding.begin();
  return { abort: () => forwarding.abort() };
}

class Forwarding implements ResponseSink {
  readonly #input: ForwardInput;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  #flight: Flight | null = null;
  #over = false;
  #startedAt = 0;
  #status = 0;
  #isPipelined = false;
  #watchesStalls = false;
  #upload: BodyStream | null = null;
  /** What of the answer waits for the end of the turn: its header section, the first piece of its body, its end. */
  #holding = false;
  #held: Buffer | null = null;
  #ended = false;

  constructor(input: ForwardInput) {
    this.#input = input;
    this.#req = input.req;
    this.#res = input.res;
  }

  begin(): void {
    this.#startedAt = this.#input.now();
    if (this.#req.socket.destroyed) {
      this.#conclude({ kind: 'client_gone' });
      return;
    }
    // The response of a pipelined request has no socket yet, and tells nothing when the client leaves.
    this.#isPipelined = this.#res.socket === null;
    (this.#isPipelined ? this.#req.socket : this.#res).on('close', this.#onClientClose);
    const { upstream, request, dispatch, send, maxBodyBytes } = this.#input;
    if (request.body === this.#req) {
      this.#upload = new BodyStream({ req: this.#req, maxBytes: maxBodyBytes, onTooLarge: this.#onTooLarge });
      this.#flight = dispatch(upstream, { ...request, body: this.#upload }, this);
    } else this.#flight = send === null ? dispatch(upstream, request, this) : send(this);
  }

  abort(): void {
    if (this.#over) return;
    this.#markOver();
    this.#flight?.abort();
  }

  onResponse(status: number, headers: readonly string[], statusText: string): void {
    if (this.#over) return;
    this.#status = status;
    this.#input.onAnswered((this.#input.now() - this.#startedAt) / 1_000);
    const fields = this.#input.answerHeaders(headers);
    const mayTrail =
      this.#req.httpVersionMinor > 0 && this.#input.request.method !== 'HEAD' && status !== 204 && status !== 304;
    // Node refuses to announce trailers of an answer that cannot have any.
    this.#res.writeHead(status, reasonOf(statusText), mayTrail ? fields : withoutField(fields, 'trailer'));
    this.#holding = true;
    atTurnEnd(this.#deliver);
  }

  onData(chunk: Buffer): boolean {
    if (this.#over) return true;
    if (this.#holding && this.#held === null) {
      this.#held = chunk;
      return true;
    }
    this.#deliver();
    if (this.#res.write(chunk)) return true;
    this.#awaitDrain();
    return false;
  }

  onEnd(trailers: readonly string[]): void {
    if (this.#over) return;
    if (trailers.length > 0 && this.#res.chunkedEncoding) this.#res.addTrailers(clientTrailers(trailers));
    this.#ended = true;
    if (!this.#holding) this.#end();
    this.#conclude({ kind: 'answered', status: this.#status });
    if (!this.#req.complete) discardRest(this.#req, this.#input.maxBodyBytes);
  }

  onFailure(failure: UpstreamFailure): void {
    if (this.#over) return;
    if (this.#res.headersSent) breakOff(this.#req, this.#res);
    this.#conclude({ kind: 'failed', failure });
  }

  #end(): void {
    if (this.#held === null) this.#res.end();
    else endWhole(this.#res, this.#held);
    if (this.#res.writableLength > 0) this.#watchStalls();
  }

  #awaitDrain(): void {
    this.#watchStalls();
    this.#res.once('drain', () => this.#flight?.resume());
  }

  #watchStalls(): void {
    if (this.#watchesStalls) return;
    this.#watchesStalls = true;
    breakOffWhenStalled(this.#res, this.#input.upstream.idleTimeoutMs);
  }

  /** A small answer has come whole by the end of the turn, and goes out in one write. */
  readonly #deliver = (): void => {
    if (!this.#holding) return;
    this.#holding = false;
    const res = this.#res;
    if (res.destroyed) return;
    if (this.#ended) this.#end();
    // Without it the headers would wait for the first piece of the body, which may be long in coming.
    else if (this.#held === null) res.flushHeaders();
    else if (!res.write(this.#held)) this.#watchStalls();
    this.#held = null;
  };

  readonly #onClientClose = (): void => {
    if (this.#over) return;
    this.#conclude({ kind: 'client_gone' });
    this.#flight?.abort();
  };

  readonly #onTooLarge = (): boolean => {
    if (this.#over) return false;
    if (this.#input.onTooLarge()) return true;
    if (this.#res.headersSent) breakOff(this.#req, this.#res);
    this.#conclude({ kind: 'body_too_large' });
    this.#flight?.abort();
    return false;
  };

  #markOver(): void {
    this.#over = true;
    if (this.#isPipelined) this.#req.socket.off('close', this.#onClientClose);
    // What is left of the upload is the caller's: nothing here may hold it back any more.
    this.#upload?.destroy();
  }

  #conclude(result: ForwardResult): void {
    this.#markOver();
    this.#input.onSettled(result);
  }
}

/** Only plain text passes as reason phrase, which may be empty (RFC 9112 4). */
export function reasonOf(statusText: string): string {
  return /^[\t\x20-\x7e]*$/.test(statusText) ? statusText : '';
}

/**
 * The backend answered before the upload ended. What is still to come is read and thrown away, so that the answer is not
 * lost to a reset (RFC 9112 9.6) and the next request is found where it begins; past `maxBytes` the connection goes.
 */
function discardRest(req: IncomingMessage, maxBytes: number): void {
  let bytes = 0;
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) req.socket.destroy();
  });
  req.resume();
}

/** An answer to an HTTP/1.0 client may end with the connection: only a reset tells a broken one from a whole one. */
function breakOff(req: IncomingMessage, res: ServerResponse): void {
  const socket: Socket | null = res.socket;
  if (socket !== null && req.httpVersionMinor === 0 && !('encrypted' in socket)) socket.resetAndDestroy();
  else res.destroy();
}
