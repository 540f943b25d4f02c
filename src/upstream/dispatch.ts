/**
 * Sends one request to a backend and hands its answer over piece by piece, exactly once ended or failed.
 * Refuses answers that two parties could read in two ways. Retries nothing, follows nothing, knows no client.
 */
import { withoutField } from '../lib/header-list.ts';
import type { Waiter } from './concurrency-limit.ts';
import { failureOf, type UpstreamFailure } from './failure.ts';
import type { Upstream } from './pool.ts';
import type { AnswerHead } from './wire/answer-head.ts';
import type { Connection, ConnectionUser } from './wire/connection.ts';
import type { WireRequest } from './wire/request.ts';

/** A stream as its body is destroyed when the request fails or is answered before it ended. */
export interface UpstreamRequest extends WireRequest {
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
  /** It has ended, or was given up: whatever comes finds the matter closed. */
  isOver = false;
  readonly #upstream: Upstream;
  readonly #request: UpstreamRequest;
  readonly #sink: ResponseSink;
  #waiting = false;
  #underWay = true;
  #interimResponses = 0;
  /** The backend may not have read what it refused, and closes then (RFC 9110 15.5.14): it carries no other request. */
  #leftUnread = false;
  #wentAgain = false;

  constructor(upstream: Upstream, request: UpstreamRequest, sink: ResponseSink) {
    this.#upstream = upstream;
    this.#request = request;
    this.#sink = sink;
  }

  enter(): void {
    const verdict = this.#upstream.limit.enter(this, this.#request.holder);
    if (verdict === 'go') this.start();
    else if (verdict === 'wait') this.#waiting = true;
    else {
      const why = verdict === 'full' ? 'for a connection' : FOR_ITS_SHARE;
      this.#underWay = false;
      process.nextTick(() => this.#fail(failureOf('overloaded', `too many requests wait ${why}`)));
    }
  }

  start(): void {
    this.#waiting = false;
    if (this.isOver) this.#leave(false);
    else this.#upstream.send(this.#request, this);
  }

  expire(ofShare: boolean): void {
    this.#waiting = false;
    this.#underWay = false;
    const why = ofShare ? `it waited too long ${FOR_ITS_SHARE}` : 'no connection became free in time';
    this.#fail(failureOf('overloaded', why));
  }

  abort(): void {
    if (this.isOver) return;
    if (this.#waiting) {
      this.#underWay = false;
      this.#upstream.limit.forget(this);
    }
    this.#giveUp(failureOf('aborted', 'given up on this side'));
  }

  resume(): void {
    if (this.#underWay) this.connection?.resume();
  }

  onInterim(status: number): void {
    if (status === 101) this.#giveUp(failureOf('malformed', 'switched protocols unasked'));
    else if (++this.#interimResponses > MAX_INTERIM_RESPONSES)
      this.#giveUp(failureOf('malformed', 'too many interim responses'));
  }

  onHead({ status, reason, headers }: AnswerHead): void {
    this.#leftUnread = this.#request.body !== null && (status === 408 || status === 413);
    // A 204 must not carry one (RFC 9110 8.6), and a reader who believes it waits for bytes that never come.
    this.#sink.onResponse(status, status === 204 ? withoutField(headers, 'content-length') : headers, reason);
  }

  onContent(bytes: Buffer): boolean {
    return this.#sink.onData(bytes);
  }

  onComplete(trailers: readonly string[], reusable: boolean): void {
    this.#leave(reusable && !this.#leftUnread);
    if (this.isOver) return;
    this.isOver = true;
    this.#endBody();
    this.#sink.onEnd(trailers);
  }

  onBroken(failure: UpstreamFailure, sentNothing: boolean): void {
    if (sentNothing && !this.isOver && !this.#wentAgain) {
      this.#wentAgain = true;
      this.#upstream.sendOnNew(this.#request, this);
      return;
    }
    this.#leave(false);
    this.#fail(failure);
  }

  /** Its place goes to the next in line. A connection that is not fit for another request is closed. */
  #leave(fit: boolean): void {
    if (!this.#underWay) return;
    this.#underWay = false;
    const { holder } = this.#request;
    if (this.connection === null) this.#upstream.limit.leave(holder);
    else this.#upstream.giveBack(this.connection, holder, fit);
  }

  /** A connection that is only being made is left to find that nothing is to be sent: until then it counts as one. */
  #giveUp(failure: UpstreamFailure): void {
    this.#fail(failure);
    if (this.#underWay && this.connection?.isOpen === true) this.connection.breakOff(failure.why);
  }

  #fail(failure: UpstreamFailure): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#endBody();
    this.#sink.onFailure(failure);
  }

  #endBody(): void {
    const { body } = this.#request;
    if (body !== null && !Buffer.isBuffer(body)) body.destroy();
  }
}
