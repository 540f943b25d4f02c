/**
 * Writes the head of a request, framing included. A field or target that could end its line early is never written.
 */
import type { Readable } from 'node:stream';

export interface WireRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  readonly host: string;
  /** Names and values by turns, without Host, framing and hop-by-hop fields. */
  readonly headers: readonly string[];
  /** A stream that has not been read from. */
  readonly body: Buffer | Readable | null;
  /** Of a stream whose length was declared; null sends it in chunks. */
  readonly contentLength: number | null;
}

/** What holds a character that is not one byte, or ends a line, is read as something else at the other end. */
const BAD_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const BAD_IN_NAME = /[^!#$%&'*+.^_`|~0-9A-Za-z-]/;
const BAD_IN_TARGET = /[^\x21-\x7e\x80-\xff]/;

/** Servers read the content of these, and wait for it or for the word that there is none (RFC 9110 8.6). */
const EXPECT_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'QUERY', 'PROPFIND', 'PROPPATCH']);

/** Of these every server reads the content, whatever it answers to. */
const READ_WITH_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Whether another request may follow on the connection. Some backend sends content after a HEAD, and one that expects none with a
 * GET, a DELETE or another method would take it for the next request (RFC 9110 9.3.1, 9.3.5).
 */
export const mayBeFollowed = ({ method, body }: WireRequest): boolean =>
  method !== 'HEAD' && (body === null || READ_WITH_CONTENT.has(method));

/**
 * The head, through its empty line, as latin1.
 *
 * @throws TypeError for what cannot be written
 */
export function requestHead(
  { method, target, host, headers, body, contentLength }: WireRequest,
  keeps: boolean,
): string {
  if (BAD_IN_NAME.test(method) || BAD_IN_TARGET.test(target) || BAD_IN_VALUE.test(host))
    throw new TypeError('a request line or Host that cannot be sent');
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${keeps ? 'keep-alive' : 'close'}\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if ((name !== written[i] && !isName(name)) || (value !== written[i + 1] && BAD_IN_VALUE.test(value)))
      throw new TypeError('a field that cannot be sent');
    head += `${name}: ${value}\r\n`;
  }
  written = headers;
  return `${head}${framing(method, body, contentLength)}\r\n`;
}

/** The fields of the latest head: they can be written, and most of the next one's are the same. */
let written: readonly string[] = [];

const isName = (name: string): boolean => name !== '' && !BAD_IN_NAME.test(name);

function framing(method: string, body: Buffer | Readable | null, contentLength: number | null): string {
  const length = body === null ? 0 : Buffer.isBuffer(body) ? body.length : contentLength;
  if (length === null) return 'transfer-encoding: chunked\r\n';
  return length > 0 || EXPECT_CONTENT.has(method) ? `content-length: ${length}\r\n` : '';
}
