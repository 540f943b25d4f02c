/** placeholder */
/**
 * One IP address, ready to compare: an IPv4 address as 2 UTF-16 code units, an IPv6 address as 8, most significant first.
 * Two addresses are equal when the strings are; order within a family is string order. IPv4-mapped IPv6 is the IPv4 address.
 */
export type Address = string & { readonly __brand: 'Address' };
