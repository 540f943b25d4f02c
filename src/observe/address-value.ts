/**
 * Addresses as they are counted: one by one, or joined into ranges of /24 and /64 when there are too many. Decides about no request.
 */
import { formatAddress, IPV4_UNITS, IPV6_UNITS, type Address } from '../lib/address.ts';
import { parseCidr } from '../lib/cidr.ts';

/** An `Address`; a range, whose length tells that it is one; or '' for an address that could not be known. */
export type AddressValue = string;

/** The place of an address that could not be known: it is on no list. */
export const UNKNOWN_ADDRESS: AddressValue = '';

/** A range of IPv4 is the two units of its first address and a mark; one of IPv6 the first half of its address. */
const RANGE4_LENGTH = 3;
const RANGE6_LENGTH = 4;
const MARK = '/';

/** The prefix lengths of the ranges. */
const PREFIX4 = 24;
const PREFIX6 = 64;

const isRange = (value: AddressValue): boolean => value.length === RANGE4_LENGTH || value.length === RANGE6_LENGTH;

/** The range that an address lies in; a range, and the unknown address, are their own. */
export function rangeOf(value: AddressValue): AddressValue {
  if (value.length === IPV4_UNITS) return `${value[0]}${String.fromCharCode(value.charCodeAt(1) & 0xff00)}${MARK}`;
  return value.length === IPV6_UNITS ? value.slice(0, RANGE6_LENGTH) : value;
}

/** The first address of a value, and the last: two of one address are equal. null: unknown. */
export function endsOf(value: AddressValue): readonly [Address, Address] | null {
  if (value === UNKNOWN_ADDRESS) return null;
  if (value.length === RANGE4_LENGTH) {
    const last = String.fromCharCode(value.charCodeAt(1) | 0xff);
    return [value.slice(0, IPV4_UNITS) as Address, `${value[0]}${last}` as Address];
  }
  if (value.length === RANGE6_LENGTH)
    return [`${value}\0\0\0\0` as Address, `${value}${'\uffff'.repeat(RANGE6_LENGTH)}` as Address];
  return [value as Address, value as Address];
}

/** As an operator writes it: `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/64`, or `unknown`. */
export function addressText(value: AddressValue): string {
  const ends = endsOf(value);
  if (ends === null) return 'unknown';
  const text = formatAddress(ends[0]);
  if (!isRange(value)) return text;
  return `${text}/${value.length === RANGE4_LENGTH ? PREFIX4 : PREFIX6}`;
}

/** Reads what `addressText` wrote; null for anything else. */
export function readAddressText(text: string): AddressValue | null {
  if (text === 'unknown') return UNKNOWN_ADDRESS;
  const parsed = parseCidr(text);
  if (!parsed.ok) return null;
  const { first, family, prefixLength } = parsed.value;
  if (prefixLength === first.length * 16) return first;
  return prefixLength === (family === 4 ? PREFIX4 : PREFIX6) ? rangeOf(first) : null;
}
