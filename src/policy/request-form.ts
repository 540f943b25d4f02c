/**
 * The request form: whether a request is one plain HTTP/1.x request that every server on its way reads alike.
 * It judges the received bytes anew, whatever the parser in front of it let through, and knows nothing of keys or paths.
 */
import { isPort, parseAddress } from '../lib/address.ts';
import { refusal, type Refusal } from '../refusal.ts';
import { announcesBody, type Facts } from './facts.ts';
import { TOKEN } from './field-form.ts';
import type { HeaderFacts } from './header-facts.ts';

/** More fields are refused with 431: work per field must not be a client's to choose. */
export const MAX_HEADER_FIELDS = 1000;

/**
 * Refuses what is not HTTP/1.0 or 1.1 in plain origin form (RFC 9112 3.2.1), every doubt about where the body ends
 * (RFC 9112 6), and what is not served: TRACE, CONNECT, Upgrade. null: well-formed.
 */
export function checkRequestForm(facts: Facts): Refusal | null {
  return (
    checkVersion(facts) ?? checkMethod(facts) ?? checkTarget(facts.target) ?? checkFields(facts) ?? checkBody(facts)
  );
}

/**
 * Refuses what is said twice, or nowhere, or is not usual, so that two servers might go by different parts of it. All of it can be
 * passed on as it came, to somebody who is known to take it. null: plain.
 */
export function checkPlainForm(facts: Facts): Refusal | null {
  const { headers, httpVersion, method } = facts;
  if (headers.authorizationCount > 1) return malformed('Authorization is repeated');
  if (headers.contentTypeCount > 1) return malformed('Content-Type is repeated');
  if (headers.hostCount === 0 && httpVersion === '1.0') return malformed('Host is missing');
  if ((method === 'GET' || method === 'HEAD') && announcesBody(facts))
    return malformed(`a ${method} request announces a body`);
  return null;
}

const malformed = (why: string): Refusal => refusal('malformed_request', why);

function checkVersion({ httpVersion }: Facts): Refusal | null {
  if (httpVersion === '1.1' || httpVersion === '1.0') return null;
  return refusal('version_not_supported', 'the version is neither HTTP/1.1 nor HTTP/1.0');
}

/** Methods are case-sensitive (RFC 9110 9.1), but a lenient backend might take `trace` for TRACE. */
function checkMethod({ method }: Facts): Refusal | null {
  if (!/^[A-Z][A-Z-]*$/.test(method)) return malformed('the method is not in upper-case letters');
  return method === 'TRACE' || method === 'CONNECT' ? refusal('method_not_supported', `${method} is not served`) : null;
}

/** Origin form alone: an absolute or authority form names a host beside Host, and `*` names no resource. */
function checkTarget(target: string): Refusal | null {
  if (!target.startsWith('/')) return malformed('the request target is not in origin form');
  if (!/^[!-~]+$/.test(target)) return malformed('the request target holds a character that is not visible ASCII');
  return target.includes('#') ? malformed('the request target holds a fragment') : null;
}

function checkFields({ headers, httpVersion }: Facts): Refusal | null {
  if (headers.fieldCount > MAX_HEADER_FIELDS)
    return refusal('header_fields_too_large', `the request has more than ${MAX_HEADER_FIELDS} header fields`);
  if (headers.malformed !== null) return malformed(headers.malformed);
  if (headers.hostCount > 1) return malformed('Host is repeated');
  if (headers.host === undefined && httpVersion !== '1.0') return malformed('Host is missing');
  if (headers.host !== undefined && !isHost(headers.host))
    return malformed('Host is not a plain host name or address with optional port');
  if (headers.upgrade === 'other')
    return refusal('not_implemented', 'Upgrade is not served, except that h2c is declined');
  return null;
}

/**
 * `uri-host [":" port]` (RFC 9110 7.2), narrower than RFC 3986: a name is labels of unreserved characters with an optional
 * final dot. Sub-delimiters and percent-encoding name no host in use and are read differently; a name whose last label is
 * a number is IPv4 to some parsers (`127.1`, `0x7f.1`) and must be IPv4 to all.
 */
function isHost(host: string): boolean {
  if (host === latestHost) return true;
  if (!isPlainHost(host)) return false;
  latestHost = host;
  return true;
}

/** The latest that was found plain: nearly all requests of a service name the same. null: none yet. */
let latestHost: string | null = null;

function isPlainHost(host: string): boolean {
  if (host.length > MAX_HOST_LENGTH) return false;
  if (host.startsWith('[')) {
    const end = host.indexOf(']');
    const address = host.slice(1, end);
    return end !== -1 && address.includes(':') && parseAddress(address) !== null && isPortSuffix(host.slice(end + 1));
  }
  const colon = host.indexOf(':');
  const name = colon === -1 ? host : host.slice(0, colon);
  if (colon !== -1 && !isPortSuffix(host.slice(colon))) return false;
  if (!/^(?:[A-Za-z0-9_~-]+\.)*[A-Za-z0-9_~-]+\.?$/.test(name)) return false;
  return !/(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?$/.test(name) || parseAddress(name) !== null;
}

/** 253 characters of a DNS name, the final dot, and a port. */
const MAX_HOST_LENGTH = 260;

const isPortSuffix = (text: string): boolean => text === '' || (text.startsWith(':') && isPort(text.slice(1)));

/** Where the body ends must be said once, in one way (RFC 9112 6.3). */
function checkBody(facts: Facts): Refusal | null {
  const { headers } = facts;
  const { contentLengthCount: lengths, transferEncodingCount: codings } = headers;
  if (lengths > 1) return malformed('Content-Length is repeated');
  if (lengths === 1 && codings > 0) return malformed('Content-Length and Transfer-Encoding are both present');
  if (lengths === 1 && !isLength(headers.contentLength as string))
    return malformed('Content-Length is not a plain decimal number');
  if (codings > 0) {
    const problem = checkTransferEncoding(facts);
    if (problem !== null) return problem;
  }
  return checkExpectation(headers);
}

/** Digits without sign and leading zeros, at most 2^53 - 1: the range in which every parser counts alike. */
function isLength(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,15})$/.test(text) && Number(text) <= Number.MAX_SAFE_INTEGER;
}

/**
 * Exactly `chunked`, in this spelling: codings are case-insensitive (RFC 9112 7), but servers exist that miss `Chunked`.
 * A list that is well-formed and ends in `chunked` asks for codings that are not implemented (501, RFC 9112 6.1);
 * in all others the end of the body cannot be told (400, RFC 9112 6.3).
 */
function checkTransferEncoding({ httpVersion, headers }: Facts): Refusal | null {
  if (httpVersion === '1.0') return malformed('HTTP/1.0 has no Transfer-Encoding');
  if (headers.transferEncodingCount > 1) return malformed('Transfer-Encoding is repeated');
  const value = headers.transferEncoding as string;
  if (value === 'chunked') return null;
  const codings = value.split(',').map((coding) => coding.trim());
  const last = codings.pop();
  return last === 'chunked' && codings.length > 0 && codings.every(isOtherCoding)
    ? refusal('not_implemented', 'a transfer coding other than chunked is not served')
    : malformed('Transfer-Encoding is not exactly "chunked"');
}

const isOtherCoding = (coding: string): boolean => TOKEN.test(coding) && coding.toLowerCase() !== 'chunked';

/** RFC 9110 10.1.1: an expectation other than 100-continue may be answered with 417. */
function checkExpectation({ expect, expectCount }: HeaderFacts): Refusal | null {
  if (expectCount === 0 || (expectCount === 1 && expect?.toLowerCase() === '100-continue')) return null;
  return refusal('expectation_failed', 'the request expects something other than 100-continue');
}
