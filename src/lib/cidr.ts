/**
 * Reads CIDR notation and compiles lists of it into sets that answer "is this address in it" by binary search.
 * A notation that two people could read as two networks is refused. IPv4 and IPv6 never contain each other.
 */
import { formatAddress, IPV4_UNITS, IPV6_UNITS, parseAddress, type Address } from './address.ts';

export type AddressFamily = 4 | 6;

/** A network, as the range of its addresses. */
export interface Cidr {
  readonly family: AddressFamily;
  readonly first: Address;
  readonly last: Address;
  readonly prefixLength: number;
  /** Canonical: `10.0.0.0/8`; a single address without its prefix length. */
  readonly text: string;
}

/** Immutable, and as compact as its ranges: very long lists are held in it. */
export interface AddressSet {
  /** null (unknown) is in no set. */
  readonly has: (address: Address | null) => boolean;
  /** The network that holds the address, in CIDR notation: of nested ones the largest. null: none does. */
  readonly rangeOf: (address: Address | null) => string | null;
  /** How many disjoint ranges it holds; 0: it admits nobody. */
  readonly size: number;
  /** The first of its networks, at most so many, in CIDR notation and in order. */
  readonly networks: (most: number) => string[];
}

/** Reads one address or one network (RFC 4632 3.1, RFC 4291 2.3); `why` is a clause for the operator that quotes the text. */
export function parseCidr(text: string): { ok: true; value: Cidr } | { ok: false; why: string } {
  const slash = text.indexOf('/');
  const addressText = slash === -1 ? text : text.slice(0, slash);
  const address = parseAddress(addressText);
  if (address === null) return bad(`${quote(text)} is neither an IPv4 nor an IPv6 address or network`);

  const mapped = address.length === IPV4_UNITS && addressText.includes(':');
  const fullLength = address.length * UNIT_BITS;
  if (slash === -1) return { ok: true, value: cidrOf(address, fullLength) };

  const written = parsePrefixLength(text.slice(slash + 1), mapped ? fullLength + MAPPED_BITS : fullLength);
  if (written === null) return bad(`${quote(text)} has no valid prefix length`);
  if (mapped && written < MAPPED_BITS)
    return bad(`${quote(text)} mixes IPv4-mapped addresses with others: write the IPv4 and IPv6 networks apart`);

  const network = cidrOf(address, mapped ? written - MAPPED_BITS : written);
  if (network.first === address) return { ok: true, value: network };
  const one = formatAddress(address);
  return bad(`${text} has host bits set: write ${network.text} for the network or ${one} for the one address`);
}

/** Whether `parseCidr` takes the text, for who needs no more. */
export const isCidr = (text: string): boolean =>
  text.includes('/') ? parseCidr(text).ok : parseAddress(text) !== null;

/** Compiles a set that answers in O(log n), whatever the number and overlap of the networks. */
export function compileAddressSet(cidrs: readonly Cidr[]): AddressSet {
  return addressSetOf(compileRanges(cidrs));
}

/** Sorted, disjoint ranges of both families as plain numbers, so that they can be handed from thread to thread. */
export interface AddressRanges {
  readonly firsts4: Uint32Array;
  readonly lasts4: Uint32Array;
  /** Eight units for each address. */
  readonly firsts6: Uint16Array;
  readonly lasts6: Uint16Array;
}

export function compileRanges(cidrs: readonly Cidr[]): AddressRanges {
  const ipv4 = mergeRanges(cidrs.filter(({ family }) => family === 4));
  const ipv6 = mergeRanges(cidrs.filter(({ family }) => family === 6));
  return {
    firsts4: Uint32Array.from(ipv4, ({ first }) => toUint32(first)),
    lasts4: Uint32Array.from(ipv4, ({ last }) => toUint32(last)),
    firsts6: unitsOf(ipv6.map(({ first }) => first)),
    lasts6: unitsOf(ipv6.map(({ last }) => last)),
  };
}

export function addressSetOf({ firsts4, lasts4, firsts6, lasts6 }: AddressRanges): AddressSet {
  return {
    has: (address) => {
      if (address === null) return false;
      return address.length === IPV4_UNITS
        ? find4(toUint32(address), firsts4, lasts4) !== -1
        : find6(address, firsts6, lasts6) !== -1;
    },
    rangeOf: (address) => {
      if (address === null) return null;
      if (address.length === IPV4_UNITS) {
        const at = find4(toUint32(address), firsts4, lasts4);
        return at === -1 ? null : rangeText(fromUint32(firsts4[at] ?? 0), fromUint32(lasts4[at] ?? 0));
      }
      const at = find6(address, firsts6, lasts6);
      return at === -1 ? null : rangeText(addressAt(firsts6, at), addressAt(lasts6, at));
    },
    size: firsts4.length + firsts6.length / IPV6_UNITS,
    networks(most) {
      const found: string[] = [];
      for (let at = 0; at < firsts4.length && found.length < most; at++)
        found.push(rangeText(fromUint32(firsts4[at] ?? 0), fromUint32(lasts4[at] ?? 0)));
      for (let at = 0; at < firsts6.length / IPV6_UNITS && found.length < most; at++)
        found.push(rangeText(addressAt(firsts6, at), addressAt(lasts6, at)));
      return found;
    },
  };
}

interface Range {
  readonly first: Address;
  readonly last: Address;
}

const UNIT_BITS = 16;

/** The prefix length of `::ffff:0:0/96`, under which the IPv4 addresses lie. */
const MAPPED_BITS = 96;

const bad = (why: string): { ok: false; why: string } => ({ ok: false, why });

/** Bounded: what an operator pasted by mistake must not fill his screen. */
const quote = (text: string): string => JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}...` : text);

/** Strictly decimal: `/08` and `/+8` are read differently by different parsers. */
function parsePrefixLength(text: string, max: number): number | null {
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(text)) return null;
  const length = Number(text);
  return length <= max ? length : null;
}

function cidrOf(address: Address, prefixLength: number): Cidr {
  let first = '';
  let last = '';
  for (let i = 0; i < address.length; i++) {
    const unit = address.charCodeAt(i);
    const hostBits = Math.min(UNIT_BITS, Math.max(0, (i + 1) * UNIT_BITS - prefixLength));
    const hostMask = (1 << hostBits) - 1;
    first += String.fromCharCode(unit & ~hostMask);
    last += String.fromCharCode(unit | hostMask);
  }
  const single = prefixLength === address.length * UNIT_BITS;
  const text = formatAddress(first as Address);
  return {
    family: address.length === IPV6_UNITS ? 6 : 4,
    first: first as Address,
    last: last as Address,
    prefixLength,
    text: single ? text : `${text}/${prefixLength}`,
  };
}

/** Sorted and disjoint. Two networks are disjoint or nested, so a range that is not inside the last one starts a new one. */
function mergeRanges(networks: readonly Cidr[]): readonly Range[] {
  const sorted = [...networks].sort((a, b) => compare(a.first, b.first) || compare(b.last, a.last));
  const ranges: Range[] = [];
  let end: Address | '' = '';
  for (const { first, last } of sorted) {
    if (end !== '' && first <= end) continue;
    ranges.push({ first, last });
    end = last;
  }
  return ranges;
}

/** By code units, as `<` on strings does; a locale's order would be another. */
const compare = (a: Address, b: Address): number => (a < b ? -1 : a > b ? 1 : 0);

const toUint32 = (address: Address): number => ((address.charCodeAt(0) << 16) | address.charCodeAt(1)) >>> 0;

const fromUint32 = (number: number): Address => String.fromCharCode(number >>> 16, number & 0xffff) as Address;

function unitsOf(addresses: readonly Address[]): Uint16Array {
  const units = new Uint16Array(addresses.length * IPV6_UNITS);
  addresses.forEach((address, at) => {
    for (let i = 0; i < IPV6_UNITS; i++) units[at * IPV6_UNITS + i] = address.charCodeAt(i);
  });
  return units;
}

const addressAt = (units: Uint16Array, at: number): Address =>
  String.fromCharCode(...units.subarray(at * IPV6_UNITS, (at + 1) * IPV6_UNITS)) as Address;

/** A range is a network, so the bits in which its ends agree are its prefix. */
function rangeText(first: Address, last: Address): string {
  let prefixLength = 0;
  for (let i = 0; i < first.length && prefixLength === i * UNIT_BITS; i++)
    prefixLength += Math.clz32(first.charCodeAt(i) ^ last.charCodeAt(i)) - UNIT_BITS;
  return cidrOf(first, prefixLength).text;
}

/** The index of the range that holds the value, or -1. */
function find4(value: number, firsts: Uint32Array, lasts: Uint32Array): number {
  let low = 0;
  let high = firsts.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    if (value < (firsts[middle] as number)) high = middle - 1;
    else if (value > (lasts[middle] as number)) low = middle + 1;
    else return middle;
  }
  return -1;
}

function find6(address: Address, firsts: Uint16Array, lasts: Uint16Array): number {
  let low = 0;
  let high = firsts.length / IPV6_UNITS - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    if (compareUnits(address, firsts, middle) < 0) high = middle - 1;
    else if (compareUnits(address, lasts, middle) > 0) low = middle + 1;
    else return middle;
  }
  return -1;
}

function compareUnits(address: Address, units: Uint16Array, at: number): number {
  for (let i = 0; i < IPV6_UNITS; i++) {
    const difference = address.charCodeAt(i) - (units[at * IPV6_UNITS + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
