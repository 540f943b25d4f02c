/**
 * Sends one request to a backend and hands its answer over piece by piece, exactly once ended or failed.
 * Refuses answers that two parties could read in two ways. Retries nothing, follows nothing, knows no client.
 */
import type { Readable } from 'node:stream';
import { withoutField } from '../lib/header-list.ts';
import { decode, flawOf, tellsItsEnd } from './answer-framing.ts';
import type { Waiter } from './concurrency-limit.ts';
import type { Connection, ConnectionUser } from './connection.ts';
import { failureFrom, failureOf, type FlightPhase, type UpstreamFailure } from './failure.ts';
import { FIXED_SERVER_NAME, type Upstream, type WireRequest } from './pool.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  /** Names and values alternating; without Host, Content-Length and hop-by-hop fields, which this layer sets. */
  readonly headers: readonly string[];
  readonly host: string;
  /** A stream is destroyed when the request fails or is answered before it ended. */
  readonly body: Buffer | Readable | null;
  /** For a stream whose length was declared; null sends it chunked. */
  readonly contentLength: number | null;
  /** Whose share of the backend's connections it takes: the id of its key, or ''. */
  readonly holder: string;
}

/** Takes the answer. `onEnd` or `onFailure` is called once, and nothing after it; never before `dispatch` has returned. */
export interface ResponseSink {
  /** The final response; interim ones are swallowed. `headers` still hold the hop-by-hop fields. */
  onResponse(status: number, headers: readonly string[], statusText: string): void;
  /** false stops the backend until `resume`. */
  onData(chunk: Buffer): boolean;
  onEnd(trailers: readonly string[]): void;
  onFailure(failure: UpstreamFailure): void;
}

/** A request under way. */
export interface Flight {
  /** Gives it up; `onFailure` follows with kind `aborted`, unless it had already ended. */
  abort(): void;
  resume(): void;
}

/** A backend may send this many interim responses (RFC 9110 15.2) before it counts as broken: each restarts the timeout. */
const MAX_INTERIM_RESPONSES = 32;

/** The other keys' requests go on. */
const FOR_ITS_SHARE = "for its key's share of the connections (maxConnectionsPerKey)";

/** Sends a request and says who takes its answer: `dispatch`, or whoever stands around it. */
export type Dispatch = typeof dispatch;

/** Sends the request as soon as the backend has a connection for it. */
export function dispatch(upstream: Upstream, request: UpstreamRequest, sink: ResponseSink): Flight {
  const dispatched = new Dispatched(upstream, request, sink);
  dispatched.enter();
  return dispatched;
}

class Dispatched implements Flight, Waiter, ConnectionUser {
  connection: Connection | null = null;
  readonly #upstream: Upstream;
  readonly #request: UpstreamRequest;
  readonly #sink: ResponseSink;
  /** The backend is told to close: one that expects no body there would take it for the next request (RFC 9110 9.3.1). */
  readonly #isLast: boolean;
  #phase: FlightPhase = 'connecting';
  #ended = false;
  #waiting = false;
  #underWay = true;
  #interimResponses = 0;
  #hasNoContent = false;
  /** The backend may not have read what it refused, and closes then (RFC 9110 15.5.14): it carries no other request. */
  #leftUnread = false;
  #answerHeaders: readonly string[] = [];
  #starting = false;
  #wentAgain = false;
  #resumeRead: (() => void) | null = null;

  constructor(upstream: Upstream, request: UpstreamRequest, sink: ResponseSink) {
    this.#upstream = upstream;
    this.#request = request;
    this.#sink = sink;
    this.#isLast = request.body !== null && (request.method === 'GET' || request.method === 'HEAD');
  }

  enter(): void {
    const verdict = this.#upstream.limit.enter(this, this.#request.holder);
    if (verdict === 'go') this.start();
    else if (verdict === 'wait') this.#waiting = true;
    else {
      const why = verdict === 'full' ? 'for a connection' : FOR_ITS_SHARE;
      process.nextTick(() => this.#fail(failureOf('overloaded', `too many requests wait ${why}`)));
    }
  }

  start(): void {
    this.#waiting = false;
    if (this.#ended) {
      this.#leave(false);
      return;
    }
    this.#starting = true;
    this.#upstream.send(this.#onWire(), this);
    this.#starting = false;
  }

  expire(ofShare: boolean): void {
    this.#waiting = false;
    const why = ofShare ? `it waited too long ${FOR_ITS_SHARE}` : 'no connection became free in time';
    this.#fail(failureOf('overloaded', why));
  }

  abort(): void {
    if (this.#ended) return;
    if (this.#waiting) this.#upstream.limit.forget(this);
    this.#giveUp(failureOf('aborted', 'given up on this side'));
  }

  resume(): void {
    this.#resumeRead?.();
  }

  onConnect(): void {
    // undici's way to drop a request before a byte of it is written.
    if (this.#ended) throw new Error('given up before it was sent');
    this.#phase = 'sent';
    this.connection?.expectResponse();
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void, statusText: string): boolean {
    if (this.#ended) return true;
    if (status < 200) {
      this.#countInterim(status);
      return true;
    }
    const decoded = decode(rawHeaders);
    // A 204 must not carry one (RFC 9110 8.6), and a reader who believes it waits for bytes that never come.
    const headers = status === 204 ? withoutField(decoded, 'content-length') : decoded;
    const flaw = flawOf(headers);
    if (flaw !== null) {
      this.#giveUp(failureOf('malformed', flaw));
      return true;
    }
    this.#phase = 'answering';
    this.#resumeRead = resume;
    this.#answerHeaders = headers;
    this.#hasNoContent = status === 204 || status === 304;
    this.#leftUnread = this.#request.body !== null && (status === 408 || status === 413);
    this.#sink.onResponse(status, headers, statusText);
    return true;
  }

  onData(chunk: Buffer): boolean {
    return this.#ended || this.#sink.onData(chunk);
  }

  onComplete(trailers: readonly (string | Buffer)[] | null): void {
    this.#leave(this.#leftUnread || this.#isLast);
    if (this.#ended) return;
    const broken = this.#brokenBy();
    if (broken !== null) this.#fail(failureFrom(broken, this.#phase));
    else this.#end(trailers === null || trailers.length === 0 ? [] : decode(trailers));
  }

  onError(error: Error): void {
    if (this.#mayGoAgain()) {
      this.#wentAgain = true;
      this.#phase = 'connecting';
      this.#upstream.sendAgain(this.connection as Connection, this.#onWire(), this);
      return;
    }
    this.#leave(true);
    if (this.#ended) return;
    // A 304 may tell the length that a 200 would have had (RFC 9110 8.6); undici misses those bytes and says so.
    if (this.#hasNoContent && (error as NodeJS.ErrnoException).code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
      this.#end([]);
      return;
    }
    const failure = failureFrom(error, this.#phase);
    if (this.#starting) process.nextTick(() => this.#fail(failure));
    else this.#fail(failure);
  }

  /** Only what the backend cannot have seen, and that is still there: a stream has been read from. */
  #mayGoAgain(): boolean {
    const { body } = this.#request;
    if (this.#ended || this.#wentAgain || this.connection?.sentNothing !== true) return false;
    return body === null || Buffer.isBuffer(body);
  }

  #onWire(): WireRequest {
    const { method, target, body } = this.#request;
    return { path: target, method, headers: this.#fields(), body, servername: FIXED_SERVER_NAME, reset: this.#isLast };
  }

  /** undici takes a reset for the end of an answer that only the closing of the connection ends. */
  #brokenBy(): Error | null {
    const { socket = null, writeError = null } = this.connection ?? {};
    if (socket !== null && socket.errored !== null) return socket.errored;
    return writeError === null || this.#hasNoContent || tellsItsEnd(this.#answerHeaders) ? null : writeError;
  }

  /** undici frames what it knows the length of, and sends the backend's own Host unless told otherwise. */
  #fields(): string[] {
    const { headers, host, body, contentLength } = this.#request;
    const declared = contentLength !== null && body !== null && !Buffer.isBuffer(body);
    if (host === this.#upstream.host && !declared) return headers as string[];
    const fields = ['Host', host, ...headers];
    if (declared) fields.push('Content-Length', String(contentLength));
    return fields;
  }

  #countInterim(status: number): void {
    if (status < 100) this.#giveUp(failureOf('malformed', 'status below 100'));
    else if (status === 101) this.#giveUp(failureOf('malformed', 'switched protocols unasked'));
    else if (++this.#interimResponses > MAX_INTERIM_RESPONSES)
      this.#giveUp(failureOf('malformed', 'too many interim responses'));
  }

  /** undici reports an error thrown at the end of an answer as one more outcome: only the first frees the place. */
  #leave(failed: boolean): void {
    if (!this.#underWay) return;
    this.#underWay = false;
    const { holder } = this.#request;
    if (this.connection === null) this.#upstream.limit.leave(holder);
    else this.#upstream.giveBack(this.connection, holder, failed);
  }

  /**
   * Ends it first: the error that the connection then reports finds the matter closed. undici's own way to abort would
   * connect anew for the request that it has just dropped.
   */
  #giveUp(failure: UpstreamFailure): void {
    const isOnConnection = this.#underWay && this.#phase !== 'connecting';
    this.#fail(failure);
    if (isOnConnection) this.connection?.socket?.destroy(new Error(failure.why));
  }

  #end(trailers: readonly string[]): void {
    this.#ended = true;
    this.#sink.onEnd(trailers);
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.onFailure(failure);
  }
}
