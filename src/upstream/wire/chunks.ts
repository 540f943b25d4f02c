/**
 * Reads chunked content (RFC 9112 7.1), wherever packets are cut. What it finds is moved together inside the packet, so that a
 * packet of many small chunks is one piece for whoever takes it. Lengths, extensions and line ends have one reading or none.
 */
import { readFields } from './fields.ts';

/** Of a line with the size of a chunk, in bytes. */
const MAX_LINE_BYTES = 4_096;
/** Of all extensions of an answer together; Node's own parser draws the line there, too. */
const MAX_EXTENSION_BYTES = 16_384;
const MAX_TRAILER_BYTES = 65_536;
const PLAIN_DIGITS = 8;
const NO_DIGIT = 16;
/** By code: the value of a hexadecimal digit. */
const DIGITS = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return value === -1 ? NO_DIGIT : value;
});
const CR = 0x0d;
const LF = 0x0a;

/** With leading zeros; what is too large shows in the number. */
const SIZE = /^[0-9A-Fa-f]{1,16}$/;
const EXTENSIONS =
  /^(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*$/;

export class ChunkReader {
  /** Where the content is that the latest call of `read` found. */
  contentStart = 0;
  contentEnd = 0;
  /** What is wrong; then nothing more is read. */
  flaw: string | null = null;
  /** The last chunk and the trailers are read. */
  done = false;
  readonly trailers: string[] = [];
  #part: 'size' | 'content' | 'end of content' | 'trailers' = 'size';
  /** Bytes of the chunk that are to come. */
  #left = 0;
  /** The line that is not whole yet. */
  #line = '';
  /** The lines of the trailers so far. */
  #section = '';
  #extensionBytes = 0;

  /** Reads from `at` on, up to the end of the bytes or of the content. Answers with the place behind what it read. */
  read(bytes: Buffer, at: number): number {
    let next = at;
    this.contentStart = at;
    this.contentEnd = at;
    while (next < bytes.length && !this.done && this.flaw === null) {
      if (this.#part === 'content') next = this.#takeContent(bytes, next);
      else if (this.#part === 'end of content') next = this.#takeEndOfContent(bytes, next);
      else next = this.#takeLine(bytes, next);
    }
    return next;
  }

  #takeContent(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    if (this.contentEnd === this.contentStart) {
      this.contentStart = at;
      this.contentEnd = end;
    } else {
      bytes.copyWithin(this.contentEnd, at, end);
      this.contentEnd += end - at;
    }
    this.#left -= end - at;
    if (this.#left === 0) {
      this.#part = 'end of content';
      this.#left = 2;
    }
    return end;
  }

  #takeEndOfContent(bytes: Buffer, at: number): number {
    if (bytes[at] !== (this.#left === 2 ? CR : LF)) this.flaw = 'a chunk that is longer than its size';
    this.#left -= 1;
    if (this.#left === 0) this.#part = 'size';
    return at + 1;
  }

  #takeLine(bytes: Buffer, at: number): number {
    if (this.#part === 'size' && this.#line === '') {
      const behind = this.#takePlainSize(bytes, at);
      if (behind !== -1) return behind;
    }
    const end = bytes.indexOf(LF, at) + 1;
    const next = end === 0 ? bytes.length : end;
    const max = this.#part === 'size' ? MAX_LINE_BYTES : MAX_TRAILER_BYTES;
    if (this.#section.length + this.#line.length + next - at > max)
      this.flaw = `more than ${max} bytes of ${this.#part}`;
    else {
      this.#line += bytes.toString('latin1', at, next);
      if (end !== 0) this.#readLine();
    }
    return next;
  }

  /** The everyday line: few digits and nothing else. -1: it is another. */
  #takePlainSize(bytes: Buffer, at: number): number {
    let size = 0;
    let end = at;
    while (end < at + PLAIN_DIGITS && end < bytes.length) {
      const digit = DIGITS[bytes[end] as number] as number;
      if (digit === NO_DIGIT) break;
      size = size * 16 + digit;
      end += 1;
    }
    if (end === at || bytes[end] !== CR || bytes[end + 1] !== LF) return -1;
    this.#take(size);
    return end + 2;
  }

  #readLine(): void {
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r\n')) this.flaw = 'a line that does not end with CRLF';
    else if (this.#part === 'size') this.#readSize(line);
    else {
      this.#section += line;
      if (line !== '\r\n') return;
      this.flaw = readFields(this.#section, 0, this.trailers) ?? framingIn(this.trailers);
      this.done = this.flaw === null;
    }
  }

  #readSize(line: string): void {
    const semicolon = line.indexOf(';');
    const sizeEnd = semicolon === -1 ? line.length - 2 : semicolon;
    const digits = line.slice(0, sizeEnd);
    const size = SIZE.test(digits) ? Number.parseInt(digits, 16) : -1;
    if (size < 0 || size > Number.MAX_SAFE_INTEGER) this.flaw = 'bad chunk size';
    else if (!this.#admitsExtensions(line.slice(sizeEnd, -2))) this.flaw = 'bad chunk extension';
    else this.#take(size);
  }

  #take(size: number): void {
    this.#left = size;
    this.#part = size === 0 ? 'trailers' : 'content';
  }

  #admitsExtensions(text: string): boolean {
    this.#extensionBytes += text.length;
    return text === '' || (this.#extensionBytes <= MAX_EXTENSION_BYTES && EXTENSIONS.test(text));
  }
}

/** Somebody might take it for what frames the next answer. */
function framingIn(trailers: readonly string[]): string | null {
  for (let i = 0; i < trailers.length; i += 2)
    if (/^(?:content-length|transfer-encoding)$/i.test(trailers[i] as string)) return 'a trailer that frames content';
  return null;
}
