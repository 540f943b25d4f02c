/**
 * Streams one exchange between a client and a backend, with backpressure both ways, and says how it ended.
 * Never writes an answer of its own, and never lets a broken answer look whole: it breaks the client's connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { dispatch, type Flight, type ResponseSink, type UpstreamRequest } from './dispatch.ts';
import type { UpstreamFailure } from './failure.ts';
import { clientTrailers } from './headers.ts';
import type { Upstream } from './pool.ts';
import { type BodyStream, requestBody } from './request-body.ts';
import { breakOffWhenStalled } from './stall.ts';

export interface Exchange {
  readonly upstream: Upstream;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** `body` is `req` itself for a body that streams through. */
  readonly request: UpstreamRequest;
  /** Asks somebody else for the answer, such as a cache, who may ask the upstream; null asks the upstream. */
  readonly send: ((sink: ResponseSink) => Flight) | null;
  /** For a body that streams; declared lengths were judged before. */
  readonly maxBodyBytes: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** The final field list for the client, flat. */
  readonly answerHeaders: (status: number, rawHeaders: readonly string[]) => string[];
  /** Called once. Unless something was `answered`, the answer is the caller's to write. */
  readonly onSettled: (result: ForwardResult) => void;
}

export type ForwardResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** From handing the request over until the final response headers. */
      readonly upstreamSeconds: number;
    }
  | {
      readonly kind: 'failed';
      readonly failure: UpstreamFailure;
      /** Whether an answer had begun; the client's connection is broken then. */
      readonly answered: boolean;
    }
  | { readonly kind: 'body_too_large'; readonly answered: boolean }
  | { readonly kind: 'client_gone' };

/** Starts forwarding. `abort` gives it up silently: `onSettled` is not called any more, and the client is the caller's. */
export function forward(exchange: Exchange): { readonly abort: () => void } {
  const forwarding = new Forwarding(exchange);
  forwarding.begin();
  return { abort: () => forwarding.abort() };
}

class Forwarding implements ResponseSink {
  readonly #exchange: Exchange;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  #flight: Flight | null = null;
  #settled = false;
  #startedAt = 0;
  #status = 0;
  #upstreamSeconds = 0;
  #watchesStalls = false;
  #upload: BodyStream | null = null;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#req = exchange.req;
    this.#res = exchange.res;
  }

  begin(): void {
    this.#startedAt = this.#exchange.now();
    if (this.#req.socket.destroyed) {
      this.#settle({ kind: 'client_gone' });
      return;
    }
    // The response of a pipelined request has no socket yet, and tells nothing when the client leaves.
    (this.#res.socket === null ? this.#req.socket : this.#res).once('close', this.#onClientClose);
    // Node hands over a request before the body bytes of the same packet: an immediate later a small body is often whole.
    if (this.#exchange.request.body === this.#req && !this.#req.complete) setImmediate(() => this.#send());
    else this.#send();
  }

  abort(): void {
    if (this.#settled) return;
    this.#markSettled();
    this.#flight?.abort();
  }

  onResponse(status: number, headers: readonly string[], statusText: string): void {
    if (this.#settled) return;
    this.#status = status;
    this.#upstreamSeconds = (this.#exchange.now() - this.#startedAt) / 1_000;
    const fields = this.#exchange.answerHeaders(status, headers);
    const mayTrail =
      this.#req.httpVersionMinor > 0 && this.#exchange.request.method !== 'HEAD' && status !== 204 && status !== 304;
    this.#res.writeHead(status, reasonOf(statusText), mayTrail ? fields : withoutTrailer(fields));
    process.nextTick(flushHeaders, this.#res);
  }

  onData(chunk: Buffer): boolean {
    if (this.#settled) return true;
    if (this.#res.write(chunk)) return true;
    this.#awaitDrain();
    return false;
  }

  onEnd(trailers: readonly string[]): void {
    if (this.#settled) return;
    if (trailers.length > 0 && this.#res.chunkedEncoding) this.#res.addTrailers(clientTrailers(trailers));
    this.#res.end();
    if (this.#res.writableLength > 0) this.#watchStalls();
    this.#settle({ kind: 'answered', status: this.#status, upstreamSeconds: this.#upstreamSeconds });
    if (!this.#req.complete) discardRest(this.#req, this.#exchange.maxBodyBytes);
  }

  onFailure(failure: UpstreamFailure): void {
    if (this.#settled) return;
    const answered = this.#res.headersSent;
    if (answered) breakOff(this.#req, this.#res);
    this.#settle({ kind: 'failed', failure, answered });
  }

  #send(): void {
    if (this.#settled) return;
    const { upstream, request, maxBodyBytes } = this.#exchange;
    if (request.body !== this.#req) {
      const { send } = this.#exchange;
      this.#flight = send === null ? dispatch(upstream, request, this) : send(this);
      return;
    }
    const { contentLength } = request;
    const body = requestBody({
      req: this.#req,
      contentLength,
      maxBytes: maxBodyBytes,
      onTooLarge: this.#onTooLarge,
    });
    switch (body.kind) {
      case 'whole':
        this.#flight = dispatch(upstream, { ...request, body: body.bytes, contentLength: null }, this);
        return;
      case 'stream':
        this.#upload = body.stream;
        this.#flight = dispatch(upstream, { ...request, body: body.stream }, this);
        return;
      case 'too_large':
        this.#settle({ kind: 'body_too_large', answered: false });
    }
  }

  #awaitDrain(): void {
    this.#watchStalls();
    this.#res.once('drain', () => this.#flight?.resume());
  }

  #watchStalls(): void {
    if (this.#watchesStalls) return;
    this.#watchesStalls = true;
    breakOffWhenStalled(this.#res, this.#exchange.upstream.idleTimeoutMs);
  }

  readonly #onClientClose = (): void => {
    if (this.#settled) return;
    this.#settle({ kind: 'client_gone' });
    this.#flight?.abort();
  };

  readonly #onTooLarge = (): void => {
    if (this.#settled) return;
    const answered = this.#res.headersSent;
    if (answered) breakOff(this.#req, this.#res);
    this.#settle({ kind: 'body_too_large', answered });
    this.#flight?.abort();
  };

  #markSettled(): void {
    this.#settled = true;
    this.#req.socket.off('close', this.#onClientClose);
    // What is left of the upload is the caller's: nothing here may hold it back any more.
    this.#upload?.destroy();
  }

  #settle(result: ForwardResult): void {
    this.#markSettled();
    this.#exchange.onSettled(result);
  }
}

/** Without it the headers would wait for the first piece of the body, which may be long in coming. */
function flushHeaders(res: ServerResponse): void {
  if (!res.writableEnded && !res.destroyed) res.flushHeaders();
}

/** Only plain text passes as reason phrase, which may be empty (RFC 9112 4). */
export function reasonOf(statusText: string): string {
  return /^[\t\x20-\x7e]*$/.test(statusText) ? statusText : '';
}

/** Node refuses to announce trailers of an answer that cannot have any. */
function withoutTrailer(fields: string[]): string[] {
  return fields.filter((_, i) => (fields[i - (i % 2)] as string).toLowerCase() !== 'trailer');
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
