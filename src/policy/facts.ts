/**
 * What is known of a request before any decision: the request line, the header fields, the peer, the time. The policy reads
 * these facts and nothing else.
 */
import type { Address } from '../lib/address.ts';
import type { HeaderFacts } from './header-facts.ts';

/** Who is at the other end of the socket (after the PROXY protocol, if that is on). */
export interface Peer {
  readonly text: string;
  /** null when the text does not parse: it then matches no list. */
  readonly address: Address | null;
  /** Whether it is connected to the Unix socket that Postern listens on. It has no address then. */
  readonly isUnix: boolean;
}

export interface Facts {
  readonly method: string;
  /** The request target as received (RFC 9112 3.2). */
  readonly target: string;
  /** `1.1`, `1.0`, ... */
  readonly httpVersion: string;
  /** Names and values alternating, in the order and spelling received. */
  readonly rawHeaders: readonly string[];
  readonly headers: HeaderFacts;
  readonly peer: Peer;
  /** Whether the connection to Postern itself is TLS. */
  readonly secure: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Whether the request's framing announces a body (RFC 9112 6): its bytes have to be read, or the connection closed. */
export function announcesBody(facts: Facts): boolean {
  const { contentLength, transferEncoding } = facts.headers;
  return transferEncoding !== undefined || (contentLength !== undefined && contentLength !== '0');
}

/** The length that Content-Length declares, in bytes; null when the body is chunked or there is none. */
export function declaredLength({ headers: { contentLength } }: Facts): number | null {
  return contentLength === undefined ? null : Number(contentLength);
}
