/**
 * How the log and `explain` name what decided: one wording, so that a search for it finds every line. It decides nothing.
 */
import type { AddressEntry } from '../keys/address-rule.ts';
import type { Key } from '../keys/key.ts';

/** A field of a key, and where it is a list of addresses, the entry that held. */
export const ruleOfKey = ({ id }: Key, field: keyof Key, entry: AddressEntry | null = null): string =>
  `${field} of key ${id}${withEntry(entry)}`;

/** The same of an API; also a field with what it says. */
export const ruleOfApi = (name: string, field: string, entry: AddressEntry | null = null): string =>
  `${field} of API ${name}${withEntry(entry)}`;

/** The same of `listen`. */
export const ruleOfListen = (field: string, entry: AddressEntry | null): string => `listen.${field}${withEntry(entry)}`;

/** Why a list that keeps out holds for an address. `entry`: the one that it is on; null: it cannot be told. */
export const whyDenied = (address: string, entry: AddressEntry | null): string =>
  `${address} ${entry === null ? 'cannot be told apart from those on the list' : 'is on the list'}`;

function withEntry(entry: AddressEntry | null): string {
  if (entry === null) return '';
  return entry.list === null ? `: ${entry.range}` : `: ${entry.range} of the address list ${entry.list}`;
}
