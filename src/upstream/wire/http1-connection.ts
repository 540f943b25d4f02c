/**
 * One connection to a backend, which carries one exchange at a time: a request is written, its answer read, both under their
 * times. Whatever is out of order ends it. It opens once and never again, and tries nothing a second time.
 */
import type { Socket } from 'node:net';
import { atTurnEnd } from '../../lib/turn-end.ts';
import { failureOf, type UpstreamFailure } from '../failure.ts';
import type { AnswerHead } from './answer-head.ts';
import { AnswerReader, type AnswerEvents } from './answer-reader.ts';
import type { Connection, ConnectionSettings, ConnectionUser } from './connection.ts';
import type { Timed } from './deadlines.ts';
import { failureIn, restAfter, type Phase } from './phase.ts';
import { mayBeFollowed, requestHead, type WireRequest } from './request.ts';
import { Sender, type SendEvents } from './sender.ts';

export class Http1Connection implements Connection, AnswerEvents, SendEvents, Timed {
  dueAt = Number.POSITIVE_INFINITY;
  readonly #settings: ConnectionSettings;
  readonly #reader: AnswerReader;
  #phase: Phase = 'new';
  #socket: Socket | null = null;
  #sender: Sender | null = null;
  #user: ConnectionUser | null = null;
  #request: WireRequest | null = null;
  #keeps = false;
  #paused = false;
  #retireAt = Number.POSITIVE_INFINITY;
  #restMs: number;
  #idleSince = 0;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#restMs = settings.keepAliveMs;
    this.#reader = new AnswerReader(this);
  }

  get isGone(): boolean {
    return this.#phase === 'gone';
  }

  isFit(now: number): boolean {
    return this.#phase === 'resting' && now < this.#retireAt && now - this.#idleSince <= this.#restMs;
  }

  get isOpen(): boolean {
    return this.#socket !== null && !this.isGone;
  }

  get idleSince(): number {
    return this.#idleSince;
  }

  send(request: WireRequest, user: ConnectionUser): void {
    user.connection = this;
    this.#user = user;
    this.#request = request;
    if (this.#phase === 'new') this.#open();
    else {
      this.#phase = 'about to send';
      this.dueAt = Number.POSITIVE_INFINITY;
      atTurnEnd(this.#write);
    }
  }

  rest(now: number): void {
    this.#idleSince = now;
    this.dueAt = Math.min(now + this.#restMs, this.#retireAt);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.dueAt = this.#settings.now() + this.#settings.contentTimeoutMs;
    this.#socket?.resume();
  }

  close(): void {
    this.#user = null;
    this.#leave();
  }

  breakOff(why: string): void {
    this.#break(failureOf('aborted', why));
  }

  onInterim(status: number): void {
    this.dueAt = this.#settings.now() + this.#settings.headTimeoutMs;
    this.#user?.onInterim(status);
  }

  onHead(head: AnswerHead): void {
    this.#phase = 'answering';
    this.#restMs = restAfter(head.keepAliveMs, this.#settings.keepAliveMs);
    this.#user?.onHead(head);
  }

  onContent(bytes: Buffer): void {
    if (this.#user === null || this.#user.onContent(bytes) || this.#paused) return;
    this.#paused = true;
    this.#socket?.pause();
  }

  onAnswerEnd(trailers: readonly string[], reusable: boolean): void {
    const user = this.#user;
    const isFit = reusable && this.#keeps && this.#sender?.isDone === true && this.#restMs > 0;
    this.#endExchange();
    if (isFit) this.#phase = 'resting';
    else this.#leave();
    user?.onComplete(trailers, isFit);
  }

  onFlaw(why: string): void {
    this.#break(failureOf('malformed', why));
  }

  onNothingSent(error: Error): void {
    this.#phase = 'about to send';
    this.#fail(error);
  }

  onUploaded(): void {
    if (this.#phase === 'sent') this.dueAt = this.#settings.now() + this.#settings.headTimeoutMs;
  }

  onUploadBroken(why: string): void {
    this.#break(failureOf('aborted', why));
  }

  onDue(now: number): void {
    const { headTimeoutMs, contentTimeoutMs } = this.#settings;
    if (this.#phase === 'resting') this.#leave();
    else if (this.#phase === 'sent') {
      // A client that is slow with its body has a time of its own.
      if (this.#sender?.waitsForBody === true) this.dueAt = now + headTimeoutMs;
      else this.#break(failureOf('header_timeout', `no answer within ${headTimeoutMs / 1000} s`));
    } else if (this.#phase === 'answering') {
      if (this.#paused) this.dueAt = now + contentTimeoutMs;
      else this.#break(failureOf('idle_timeout', `nothing more of the answer for ${contentTimeoutMs / 1000} s`));
    }
  }

  #open(): void {
    this.#phase = 'connecting';
    this.#settings.connect().then(
      (socket) => this.#use(socket),
      (error: unknown) => this.#fail(error as Error),
    );
  }

  #use(socket: Socket): void {
    if (this.isGone) {
      socket.on('error', () => undefined).destroy();
      return;
    }
    this.#socket = socket;
    this.#sender = new Sender(socket, this);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(null));
    const { now, maxAgeMs, deadlines } = this.#settings;
    this.#retireAt = now() + maxAgeMs * (1 - Math.random() / 5);
    deadlines.watch(this);
    this.#write();
  }

  readonly #write = (): void => {
    const user = this.#user;
    if (user === null || this.isGone) return;
    if (user.isOver) {
      this.breakOff('given up before it was sent');
      return;
    }
    const request = this.#request as WireRequest;
    this.#keeps = mayBeFollowed(request) && this.#settings.keepAliveMs > 0;
    let head: string;
    try {
      head = requestHead(request, this.#keeps);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#phase = 'sent';
    this.dueAt = this.#settings.now() + this.#settings.headTimeoutMs;
    this.#reader.expect(request.method);
    this.#sender?.send(head, request);
  };

  readonly #onData = (bytes: Buffer): void => {
    // Nobody asked for it, or not for it yet.
    if (this.#reader.isIdle) {
      this.#fail(null);
      return;
    }
    try {
      this.#reader.read(bytes);
    } catch (error) {
      // Node may refuse to pass on what was answered.
      this.#fail(error as Error);
    }
    if (this.#phase === 'answering') this.dueAt = this.#settings.now() + this.#settings.contentTimeoutMs;
  };

  readonly #onEnd = (): void => {
    // libuv may tell a reset as an end, and the write that it broke off only after that, within the turn.
    if (this.#sender?.isDone === false) atTurnEnd(this.#concludeEnd);
    else this.#concludeEnd();
  };

  readonly #concludeEnd = (): void => {
    // Without its length, an answer is whole only if this side is sure that nothing went wrong.
    const failedBy = this.#sender?.failedBy ?? null;
    if (failedBy === null && this.#reader.endOfConnection()) return;
    this.#fail(failedBy);
  };

  /** The connection has failed, with an error or without a word. */
  #fail(error: Error | null): void {
    if (this.#user === null) this.#leave();
    else this.#break(failureIn(this.#phase, error));
  }

  #break(failure: UpstreamFailure): void {
    const user = this.#user;
    const sentNothing = this.#phase === 'about to send';
    this.#endExchange();
    this.#leave();
    user?.onBroken(failure, sentNothing);
  }

  #endExchange(): void {
    this.#user = null;
    this.#request = null;
    this.#sender?.stop();
    this.dueAt = Number.POSITIVE_INFINITY;
    this.#reader.stop();
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  #leave(): void {
    if (this.isGone) return;
    this.#phase = 'gone';
    this.#settings.deadlines.forget(this);
    this.#socket?.destroy();
    this.#settings.onGone(this);
  }
}
