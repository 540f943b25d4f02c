/**
 * Reads the answers on a connection, wherever packets are cut: interim ones, the head, the content by its framing, the end.
 * Opens nothing and closes nothing; what it cannot read in one way it reports, and reads no further.
 */
import { readHead, type AnswerHead } from './answer-head.ts';
import { ChunkReader } from './chunks.ts';

/** Told what was read, in order. After `onAnswerEnd` or `onFlaw` nothing follows until the next `expect`. */
export interface AnswerEvents {
  /** A status from 100 to 199. */
  onInterim(status: number): void;
  onHead(head: AnswerHead): void;
  /** Never empty. */
  onContent(bytes: Buffer): void;
  /** `reusable`: by all that was read, the next bytes begin the answer to the next request. */
  onAnswerEnd(trailers: readonly string[], reusable: boolean): void;
  onFlaw(why: string): void;
}

/** Of status line and fields. */
const MAX_HEAD_BYTES = 65_536;
/** Most heads are far smaller, and what comes behind one is content, of which no text is wanted. */
const FIRST_LOOK_BYTES = 4_096;
const MAX_REMEMBERED_BYTES = 1_024;
const START = 'HTTP/1.';
const END = '\r\n\r\n';
const BARE = /\r[^\n]|[^\r]\n/;
const NO_TRAILERS: readonly string[] = [];

type Reading = 'nothing' | 'head' | 'sized' | 'chunked' | 'up to the end';

export class AnswerReader {
  readonly #events: AnswerEvents;
  #reading: Reading = 'nothing';
  #method = '';
  /** What came of a head so far. */
  #text = '';
  /** The latest small head, and what was read in it. */
  #lastText = '';
  #lastHead: AnswerHead | null = null;
  #left = 0;
  #chunks: ChunkReader | null = null;
  #persistent = false;

  constructor(events: AnswerEvents) {
    this.#events = events;
  }

  /** No answer is under way: whatever comes now, nobody asked for. */
  get isIdle(): boolean {
    return this.#reading === 'nothing';
  }

  /** The next bytes begin the answer to a request with this method. */
  expect(method: string): void {
    this.#method = method;
    this.#reading = 'head';
    this.#text = '';
  }

  /** Reads nothing more of this answer. */
  stop(): void {
    this.#reading = 'nothing';
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (this.#reading === 'head' && at < bytes.length) at = this.#readHead(bytes, at);
    if (at === bytes.length) return;
    if (this.#reading === 'sized') this.#readSized(bytes, at);
    else if (this.#reading === 'chunked') this.#readChunks(bytes, at);
    else if (this.#reading === 'up to the end') this.#events.onContent(at === 0 ? bytes : bytes.subarray(at));
  }

  /** The connection has ended in order. Tells whether the answer has, too. */
  endOfConnection(): boolean {
    if (this.#reading !== 'up to the end') return false;
    this.#end(NO_TRAILERS, false);
    return true;
  }

  #readHead(bytes: Buffer, at: number): number {
    const before = this.#text;
    const look = before === '' ? FIRST_LOOK_BYTES : MAX_HEAD_BYTES;
    const until = Math.min(bytes.length, at + look);
    const text = before + bytes.toString('latin1', at, until);
    const found = text.indexOf(END, Math.max(0, before.length - END.length + 1));
    if (found !== -1) {
      const length = found + END.length;
      this.#text = '';
      const next = at + length - before.length;
      const head = length > MAX_HEAD_BYTES ? TOO_LARGE : this.#headIn(text.slice(0, length));
      if (typeof head === 'string') this.#fail(head);
      else this.#take(head, next === bytes.length);
      return next;
    }
    this.#text = text;
    const flaw = flawInStart(text, before.length);
    if (flaw !== null) this.#fail(flaw);
    return until;
  }

  /** A busy backend says the same in every answer of a second. */
  #headIn(text: string): AnswerHead | string {
    if (this.#lastHead !== null && text === this.#lastText) return this.#lastHead;
    const head = readHead(text);
    if (typeof head === 'string' || text.length > MAX_REMEMBERED_BYTES) return head;
    this.#lastText = text;
    this.#lastHead = head;
    return head;
  }

  #take(head: AnswerHead, isAll: boolean): void {
    const { status, length, chunked } = head;
    if (status < 200) {
      this.#events.onInterim(status);
      return;
    }
    const empty = this.#method === 'HEAD' || status === 204 || status === 304;
    // A backend that sends content where there is none would have it taken for the next answer.
    this.#persistent = head.persistent && !(empty && (this.#method === 'HEAD' || chunked || length > 0));
    if (empty || length === 0) this.#reading = 'sized';
    else if (chunked) this.#reading = 'chunked';
    else this.#reading = length === -1 ? 'up to the end' : 'sized';
    this.#left = empty || length < 0 ? 0 : length;
    this.#chunks = chunked && !empty ? new ChunkReader() : null;
    this.#events.onHead(head);
    if (this.#reading === 'sized' && this.#left === 0) this.#end(NO_TRAILERS, isAll);
  }

  #readSized(bytes: Buffer, at: number): void {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    this.#events.onContent(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (this.#reading === 'sized' && this.#left === 0) this.#end(NO_TRAILERS, end === bytes.length);
  }

  #readChunks(bytes: Buffer, at: number): void {
    const chunks = this.#chunks as ChunkReader;
    const next = chunks.read(bytes, at);
    if (chunks.contentEnd > chunks.contentStart)
      this.#events.onContent(bytes.subarray(chunks.contentStart, chunks.contentEnd));
    if (this.#reading !== 'chunked') return;
    if (chunks.flaw !== null) this.#fail(chunks.flaw);
    else if (chunks.done) this.#end(chunks.trailers, next === bytes.length);
  }

  #end(trailers: readonly string[], isAll: boolean): void {
    this.#reading = 'nothing';
    this.#chunks = null;
    this.#events.onAnswerEnd(trailers, this.#persistent && isAll);
  }

  #fail(why: string): void {
    this.#reading = 'nothing';
    this.#text = '';
    this.#events.onFlaw(why);
  }
}

const TOO_LARGE = `more than ${MAX_HEAD_BYTES} bytes of head`;

/** What can be told of a head before its end has come: a backend that speaks something else might wait for an answer. */
function flawInStart(text: string, known: number): string | null {
  if (text.length > MAX_HEAD_BYTES) return TOO_LARGE;
  if (!START.startsWith(text.slice(0, START.length))) return 'no HTTP/1.1 or HTTP/1.0';
  return BARE.test(text.slice(Math.max(0, known - 1))) ? 'a line that does not end with CRLF' : null;
}
