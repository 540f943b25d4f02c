/**
 * Finds where the requests of a byte stream end, well enough to hand them to a parser one by one. Judges nothing: the parser
 * reads the same bytes however they were cut, and says itself when a request is complete.
 */
import type { IncomingMessage } from 'node:http';

export interface RequestCutter {
  /** How many of these bytes belong to the request at hand, or to the head of the next one. */
  readonly nextEnd: (bytes: Buffer) => number;
  /** The parser was given these bytes. */
  readonly handedOver: (piece: Buffer) => void;
  /** The parser has read a head, the bytes that follow in the stream are its body's. */
  readonly headEnded: (req: IncomingMessage) => void;
  /** Whether all that was handed over are whole requests. */
  readonly isBetweenRequests: () => boolean;
}

/** What ends a head, and a chunked body too (RFC 9112 7.1). */
const END_OF_HEAD = '\r\n\r\n';
/**
 * The end mark may stand many times in a chunked body: it is looked for only after so many bytes, which can hold three small
 * requests.
 */
const SHORTEST_PIECE = 64;
const SEAM = END_OF_HEAD.length - 1;

export function createRequestCutter(): RequestCutter {
  /** The request whose body is being read. */
  let current: IncomingMessage | null = null;
  /** Of a declared length. */
  let bodyLeft = 0;
  let isChunked = false;
  let hasJustBegun = false;
  /** Whether the last piece may hold more than it was cut for. */
  let isLoose = false;
  let isInHead = false;
  /** The last bytes of a head or a chunked body that has not ended: its end may begin with them. */
  let tail = '';

  const endAfter = (bytes: Buffer, from: number): number => {
    const at = bytes.indexOf(END_OF_HEAD, from, 'latin1');
    return at < 0 ? -1 : at + END_OF_HEAD.length;
  };

  const endOfHead = (bytes: Buffer): number => {
    const seam = (tail + bytes.toString('latin1', 0, SEAM)).indexOf(END_OF_HEAD);
    if (seam >= 0) return seam + END_OF_HEAD.length - tail.length;
    return endAfter(bytes, isInHead ? 0 : startOfHead(bytes));
  };

  return {
    nextEnd(bytes) {
      isLoose = current !== null && isChunked;
      if (isLoose) {
        const end = endAfter(bytes, SHORTEST_PIECE - END_OF_HEAD.length);
        return end < 0 ? bytes.length : end;
      }
      if (current !== null) return Math.min(bytes.length, bodyLeft || 1);
      const end = endOfHead(bytes);
      isInHead = end < 0;
      return isInHead ? bytes.length : end;
    },
    handedOver(piece) {
      if (current !== null && !hasJustBegun) bodyLeft = Math.max(0, bodyLeft - piece.length);
      hasJustBegun = false;
      const last = tail + piece.toString('latin1', Math.max(0, piece.length - END_OF_HEAD.length));
      if (current?.complete === true) {
        current = null;
        // Behind the end of a chunked body there may be the beginning of a head.
        isInHead = isLoose && !last.endsWith(END_OF_HEAD);
      }
      tail = isInHead || (current !== null && isChunked) ? last.slice(-SEAM) : '';
    },
    headEnded(req) {
      current = req;
      bodyLeft = Number(req.headers['content-length'] ?? 0);
      isChunked = req.headers['transfer-encoding'] !== undefined;
      hasJustBegun = true;
      isInHead = false;
    },
    isBetweenRequests: () => current === null && !isInHead,
  };
}

/** RFC 9112 2.2: empty lines before a request line are skipped. */
function startOfHead(bytes: Buffer): number {
  let start = 0;
  while (bytes[start] === CR || bytes[start] === LF) start++;
  return start;
}

const CR = 0x0d;
const LF = 0x0a;
