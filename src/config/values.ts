/**
 * The kinds of value that both files are written with: numbers with limits, host names, URLs, address ranges, secrets.
 * Each carries its own sentence for a wrong value. Nothing here knows which field uses it.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { parseCidr } from '../lib/cidr.ts';
import { normalizeTarget } from '../lib/path-normalization.ts';
import { EMPTY_SECRET, LONG_SECRET, LONGEST_SECRET, oddSecret, SECRET_TEXT } from './secret-text.ts';

/** A whole number within limits, both included. */
export function whole(minimum: number, maximum: number): z.ZodInt {
  const error = `must be a whole number from ${minimum} to ${maximum}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** A length of time that may have a fraction, within limits, both included. */
export function duration(minimum: number, maximum: number): z.ZodNumber {
  const error = `must be a number from ${minimum} to ${maximum}`;
  return z.number({ error }).min(minimum, { error }).max(maximum, { error });
}

/** Text of at least one character. */
export const text = (error = 'must be text that is not empty'): z.ZodString => z.string({ error }).min(1, { error });

/** JSON Schema's own mark for what may be written but is never shown: redaction and messages go by it. */
export const SECRET = { writeOnly: true } as const;

/** A choice by name. Wrong values get the list of names and the nearest one. */
export const choice = <const T extends readonly [string, ...string[]]>(names: T): z.ZodEnum<{ [K in T[number]]: K }> =>
  z.enum(names);

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const DNS_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`, 'i');
const ALL_NUMERIC = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i;
/** Letters beyond ASCII; any other character there would be changed or dropped on the way to a name. */
const INTERNATIONAL = /^[\p{L}\p{M}\p{N}a-z0-9_.-]+$/iu;

/**
 * A host in the form in which it is looked up: lower case, an international name in its ASCII form (RFC 5890). A name may end
 * in a dot, which says that no search domain belongs to it. null: no host. What ends in a number is an address to every URL
 * parser, so it has to be a right one.
 */
function asciiHost(host: string): string | null {
  if (isBracketedIPv6(host)) return host.toLowerCase();
  const isAscii = /^[\x21-\x7e]*$/.test(host);
  const name = isAscii ? host.toLowerCase() : INTERNATIONAL.test(host) ? domainToASCII(host) : '';
  const bare = name.replace(/\.$/, '');
  if (!ALL_NUMERIC.test(bare)) return DNS_NAME.test(bare) ? name : null;
  return isAscii && isIP(name) === 4 ? name : null;
}

const isBracketedIPv6 = (host: string): boolean =>
  host.startsWith('[') && host.endsWith(']') && isIP(host.slice(1, -1)) === 6 && !host.includes('%');

/** A host as it stands in a Host header, without port; lower-case and without a final dot in the result. */
export const hostName = z
  .string({ error: 'must be a host name such as "api.example.com"' })
  .refine((host) => asciiHost(host) !== null, {
    error: 'must be a host name without scheme, port or wildcard, such as "api.example.com"',
  })
  .transform((host) => (asciiHost(host) ?? host).replace(/\.$/, ''));

/** An address or name to listen on or to connect to; IPv6 without brackets. */
export const listenHost = z
  .string({ error: 'must be an address or a host name' })
  .refine((host) => (isIP(host) !== 0 && !host.includes('%')) || (!host.startsWith('[') && asciiHost(host) !== null), {
    error: 'must be an IP address or a host name to listen on, such as "127.0.0.1" or "::"',
  });

/** An address or CIDR range; what is wrong with it is told by the parser. */
export const addressRange = z
  .string({ error: 'must be an address or a range in quotes, such as "203.0.113.0/24"' })
  .superRefine((range, context) => {
    const parsed = parseCidr(range);
    if (!parsed.ok) context.addIssue({ code: 'custom', message: `is not usable: ${parsed.why}` });
  });

/** The word for peers on the Unix socket that Postern listens on. */
export const UNIX_PEERS = 'unix';

/** Who may say where a connection comes from. */
export const trustedProxy = z.union([z.literal(UNIX_PEERS), addressRange]);

const ORIGIN_URL = /^https?:\/\/(?<host>\[[0-9a-f:.]+\]|[^/?#@:[\]\\\s]+)(?::(?<port>\d{1,5}))?\/?$/i;

/**
 * Where a backend listens: scheme, host and port alone, or a Unix socket. The result is an origin as in WHATWG URL, or `unix:`
 * and the path as written. Two slashes at its start are how others write a host: what they would mean here is not guessed.
 */
export const upstreamUrl = z
  .string({ error: 'must be a URL such as "http://127.0.0.1:9000"' })
  .refine((upstream) => (isUnix(upstream) ? isSocketPath(upstream.slice(5)) : isOriginUrl(upstream)), {
    error: ({ input }) =>
      isUnix(String(input))
        ? 'must be unix: and the path of a socket, such as "unix:/run/app.sock"'
        : 'must be an http:// or https:// URL of a host and a port alone (or unix: and a path), without credentials, path or query',
  })
  .transform((upstream) => (isUnix(upstream) ? `unix:${upstream.slice(5)}` : new URL(upstream).origin));

const isUnix = (upstream: string): boolean => /^unix:/i.test(upstream);
const isSocketPath = (path: string): boolean => path !== '' && !path.startsWith('//') && !path.includes('\0');

/** The host may be international: `URL` then gives its ASCII form, as `asciiHost` does. */
function isOriginUrl(url: string): boolean {
  const match = ORIGIN_URL.exec(url);
  const host = match?.groups?.['host'] ?? '';
  const port = Number(match?.groups?.['port'] ?? 80);
  return asciiHost(host) !== null && port >= 1 && port <= 65_535 && URL.canParse(url);
}

/** A Redis URL. Which parts may be there depends on what it names, so the caller says whether a database number may. */
export const redisUrl = (database: boolean): z.ZodString =>
  z.string({ error: 'must be a URL such as "redis://127.0.0.1:6379"' }).refine((url) => isRedisUrl(url, database), {
    error: `must be redis:// or rediss:// with a host${database ? ', and at most a database number as its path' : ' and no path'}`,
  });

function isRedisUrl(url: string, database: boolean): boolean {
  if (!/^rediss?:\/\/[^\s/?#\\]+(?:\/\d*)?$/.test(url) || !URL.canParse(url)) return false;
  const { hostname, pathname } = new URL(url);
  return hostname !== '' && (database || pathname === '' || pathname === '/');
}

/** A header field name (RFC 9110 5.1), lower-case in the result. */
export const headerName = z
  .string({ error: 'must be the name of a header' })
  .regex(/^[!#$%&'+.^_`|~0-9a-z-]+$/i, { error: 'must be the name of a header, without a colon, space or wildcard' })
  .transform((name) => name.toLowerCase());

/** What `secret-text` says of a secret. */
export const secretText = z
  .string({ error: 'must be text; put it in quotes' })
  .min(1, { error: EMPTY_SECRET })
  .max(LONGEST_SECRET, { error: LONG_SECRET })
  .regex(SECRET_TEXT, { error: ({ input }) => oddSecret(String(input)) });

/** A secret as its SHA-256. */
export const SECRET_HASH = /^sha256:[0-9a-f]{64}$/i;

/** A secret that may also be given as its hash, elsewhere: a hash in its place is a mistake. */
export const secretValue = secretText
  .refine((value) => !SECRET_HASH.test(value), { error: 'must be the secret itself; a hash belongs in `hash`' })
  .meta(SECRET);

export const secretHash = z
  .string({ error: 'must be "sha256:" and 64 hex digits' })
  .regex(SECRET_HASH, { error: 'must be "sha256:" and 64 hex digits, as `postern hash` prints it' });

/** RFC 3339 with seconds and a zone, in the form that `Date` reads without guessing. */
export const instant = z.iso.datetime({
  offset: true,
  error: 'must be a time as in RFC 3339, such as "2027-01-01T00:00:00Z"',
});

const NO_QUIRKS: ReadonlySet<never> = new Set<never>();

/** A path as every server reads it, without a query: what no request's path could equal is a mistake. */
export const plainPath = z
  .string({ error: 'must be a path that starts with a slash' })
  .refine((path) => !/[%?]/.test(path) && normalizeTarget(path, NO_QUIRKS).ok, {
    error:
      'must be a path that starts with a slash, of plain visible ASCII, without dot segments, `//`, `%` or a query',
  });
