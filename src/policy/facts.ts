/**
 * What is known of a request before any decision: the request line, the header fields read in one pass, the peer, the time.
 * Reading decides nothing; the policy reads these facts and nothing else.
 */
import type { Address } from '../lib/address.ts';

/** The header fields that the policy judges by. Repeated fields are counted, because Node silently keeps one of two. */
export interface HeaderFacts {
  readonly fieldCount: number;
  readonly host: string | undefined;
  readonly hostCount: number;
  readonly authorization: string | undefined;
  readonly authorizationCount: number;
  readonly contentType: string | undefined;
  readonly contentTypeCount: number;
  readonly contentEncoding: string | undefined;
  readonly contentEncodingCount: number;
  readonly contentLength: string | undefined;
  readonly transferEncoding: string | undefined;
  readonly transferEncodingCount: number;
  readonly origin: string | undefined;
  readonly originCount: number;
  readonly secFetchSite: string | undefined;
  readonly upgrade: boolean;
  readonly expect: string | undefined;
  /** Every X-Forwarded-For field value, in order of arrival. */
  readonly forwardedFor: readonly string[];
  readonly forwardedProto: string | undefined;
  readonly requestId: string | undefined;
  /** Every Connection field value, in order of arrival. */
  readonly connection: readonly string[];
  readonly accessControlRequestMethod: string | undefined;
  readonly accessControlRequestHeaders: string | undefined;
  readonly cacheControl: string | undefined;
}

/** Who is at the other end of the socket (after the PROXY protocol, if that is on). */
export interface Peer {
  readonly text: string;
  /** null when the text does not parse: it then matches no list. */
  readonly address: Address | null;
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

type MutableHeaderFacts = { -readonly [K in keyof HeaderFacts]: HeaderFacts[K] } & {
  forwardedFor: string[];
  connection: string[];
};

/**
 * Reads the fields the policy judges by from Node's `rawHeaders`, in one pass.
 * The first of repeated fields is kept and the repetition counted; X-Forwarded-For and Connection keep all.
 */
export function readHeaders(rawHeaders: readonly string[]): HeaderFacts {
  const facts: MutableHeaderFacts = {
    fieldCount: rawHeaders.length / 2,
    host: undefined,
    hostCount: 0,
    authorization: undefined,
    authorizationCount: 0,
    contentType: undefined,
    contentTypeCount: 0,
    contentEncoding: undefined,
    contentEncodingCount: 0,
    contentLength: undefined,
    transferEncoding: undefined,
    transferEncodingCount: 0,
    origin: undefined,
    originCount: 0,
    secFetchSite: undefined,
    upgrade: false,
    expect: undefined,
    forwardedFor: [],
    forwardedProto: undefined,
    requestId: undefined,
    connection: [],
    accessControlRequestMethod: undefined,
    accessControlRequestHeaders: undefined,
    cacheControl: undefined,
  };
  for (let i = 0; i < rawHeaders.length; i += 2) readField(facts, rawHeaders[i] as string, rawHeaders[i + 1] as string);
  return facts;
}

/** The length is compared first: most fields of a request are none of these, and lower-casing each would cost. */
function readField(facts: MutableHeaderFacts, name: string, value: string): void {
  switch (name.length) {
    case 4:
      if (name.toLowerCase() === 'host' && facts.hostCount++ === 0) facts.host = value;
      return;
    case 6: {
      const lower = name.toLowerCase();
      if (lower === 'origin') {
        if (facts.originCount++ === 0) facts.origin = value;
      } else if (lower === 'expect') facts.expect ??= value;
      return;
    }
    case 7:
      if (name.toLowerCase() === 'upgrade') facts.upgrade = true;
      return;
    case 10:
      if (name.toLowerCase() === 'connection') facts.connection.push(value);
      return;
    case 12: {
      const lower = name.toLowerCase();
      if (lower === 'content-type') {
        if (facts.contentTypeCount++ === 0) facts.contentType = value;
      } else if (lower === 'x-request-id') facts.requestId ??= value;
      return;
    }
    case 13: {
      const lower = name.toLowerCase();
      if (lower === 'authorization') {
        if (facts.authorizationCount++ === 0) facts.authorization = value;
      } else if (lower === 'cache-control')
        facts.cacheControl = facts.cacheControl === undefined ? value : `${facts.cacheControl}, ${value}`;
      return;
    }
    case 14: {
      const lower = name.toLowerCase();
      if (lower === 'content-length') facts.contentLength ??= value;
      else if (lower === 'sec-fetch-site') facts.secFetchSite ??= value;
      return;
    }
    case 15:
      if (name.toLowerCase() === 'x-forwarded-for') facts.forwardedFor.push(value);
      return;
    case 16:
      if (name.toLowerCase() === 'content-encoding' && facts.contentEncodingCount++ === 0)
        facts.contentEncoding = value;
      return;
    case 17: {
      const lower = name.toLowerCase();
      if (lower === 'transfer-encoding') {
        if (facts.transferEncodingCount++ === 0) facts.transferEncoding = value;
      } else if (lower === 'x-forwarded-proto') facts.forwardedProto ??= value;
      return;
    }
    case 29:
      if (name.toLowerCase() === 'access-control-request-method') facts.accessControlRequestMethod ??= value;
      return;
    case 30:
      if (name.toLowerCase() === 'access-control-request-headers') facts.accessControlRequestHeaders ??= value;
      return;
    default:
  }
}
