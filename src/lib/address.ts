/**
 * Reads and writes IP addresses: one text, one address, or none. Lenient forms (octal, hex, short, zone ids, ports, brackets)
 * are no addresses here, because two parsers would read them differently. It knows nothing of networks or of trust.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { trimOptionalSpace } from './header-list.ts';

/**
 * One IP address, ready to compare: an IPv4 address as 2 UTF-16 code units, an IPv6 address as 8, most significant first.
 * Two addresses are equal when the strings are; order within a family is string order. IPv4-mapped IPv6 is the IPv4 address.
 */
export type Address = string & { readonly __brand: 'Address' };

/** The length of an `Address` tells its family. */
export const IPV4_UNITS = 2;
export const IPV6_UNITS = 8;

/**
 * Reads dotted decimal of four parts without leading zeros, or RFC 4291 2.2 text; null for anything else.
 * `::ffff:a.b.c.d` is the IPv4 address; other embeddings (`::a.b.c.d`, `64:ff9b::/96`, `2002::/16`) stay IPv6.
 */
export function parseAddress(text: string): Address | null {
  switch (isIP(text)) {
    case 4:
      return parseDottedDecimal(text);
    case 6:
      return text.includes('%') ? null : parseGroups(text);
    default:
      return null;
  }
}

/**
 * Reads what the kernel says of a socket: a link-local peer comes with the zone that it was met in (`fe80::1%eth0`), which is
 * no part of the address. Only for text of the kernel: what a client or a file writes must be an address and nothing more.
 */
export function parseKernelAddress(text: string): Address | null {
  const zone = text.indexOf('%');
  return parseAddress(zone === -1 ? text : text.slice(0, zone));
}

/**
 * Reads an X-Forwarded-For entry: an address, with or without a port (`1.2.3.4:80`, `[2001:db8::1]:443`, `[2001:db8::1]`),
 * with optional spaces and tabs around it. Names, `unknown`, obfuscated and quoted identifiers give null.
 */
export function parseAddressWithPort(text: string): Address | null {
  const entry = trimOptionalSpace(text);
  if (entry.charCodeAt(0) === OPENING_BRACKET) {
    const end = entry.indexOf(']');
    if (end === -1 || !isPortSuffix(entry, end + 1)) return null;
    const inner = entry.slice(1, end);
    return inner.includes(':') ? parseAddress(inner) : null;
  }
  const colon = entry.indexOf(':');
  // A second colon: IPv6 without brackets, where a port could not be told from a group.
  if (colon === -1 || entry.includes(':', colon + 1)) return parseAddress(entry);
  return isPortSuffix(entry, colon) ? parseAddress(entry.slice(0, colon)) : null;
}

/** The canonical text: dotted decimal, or RFC 5952. */
export function formatAddress(address: Address): string {
  if (address.length === IPV4_UNITS) {
    const high = address.charCodeAt(0);
    const low = address.charCodeAt(1);
    return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
  }
  // By code units: an iterator would join two groups that look like a surrogate pair.
  const groups = Array.from({ length: IPV6_UNITS }, (_, i) => address.charCodeAt(i));
  return new ipaddr.IPv6(groups).toRFC5952String();
}

/** Whether the text is a port number: 1 to 5 decimal digits, at most 65535. */
export function isPort(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 0xffff;
}

const OPENING_BRACKET = 0x5b;

/** For text that `isIP` found to be IPv4: nothing is left to check. */
function parseDottedDecimal(text: string): Address {
  let value = 0;
  let part = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      value = value * 256 + part;
      part = 0;
    } else part = part * 10 + code - 0x30;
  }
  value = value * 256 + part;
  return String.fromCharCode(value >>> 16, value & 0xffff) as Address;
}

/** For text that `isIP` found to be IPv6 and that has no zone id. */
function parseGroups(text: string): Address {
  const all = String.fromCharCode(...ipaddr.IPv6.parse(withHexTail(text)).parts);
  return (all.startsWith(MAPPED_PREFIX) ? all.slice(MAPPED_PREFIX.length) : all) as Address;
}

/**
 * Dotted decimal may stand for the last two groups (RFC 4291 2.2). Written as groups here, because ipaddr.js takes
 * `::10.0.0.1` for the IPv4-mapped address.
 */
function withHexTail(text: string): string {
  const tail = text.lastIndexOf(':') + 1;
  if (!text.includes('.', tail)) return text;
  const units = parseDottedDecimal(text.slice(tail));
  return `${text.slice(0, tail)}${units.charCodeAt(0).toString(16)}:${units.charCodeAt(1).toString(16)}`;
}

/** `::ffff:0:0/96` (RFC 4291 2.5.5.2). */
const MAPPED_PREFIX = '\0\0\0\0\0\uffff';

/** Whether nothing, or `:` and a port, stands in `text` from `at` on. */
function isPortSuffix(text: string, at: number): boolean {
  return at === text.length || (text.charCodeAt(at) === 0x3a && isPort(text.slice(at + 1)));
}
