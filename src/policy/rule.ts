/**
 * How the log and `explain` name what decided: one wording, so that a search for it finds every line. It decides nothing.
 */
import type { AddressEntry } from '../keys/address-rule.ts';
import type { Key } from '../keys/key.ts';

/** A field of a key, the policy that it comes from, if it does, and where it is a list of addresses, the entry that held. */
export function ruleOfKey(
  { id, policy, policyFields }: Key,
  field: keyof Key,
  entry: AddressEntry | null = null,
): string {
  const source = policyFields.has(field) ? ` (policy ${policy})` : '';
  return `${field} of key ${id}${source}${entry === null ? '' : `: ${describeEntry(entry)}`}`;
}

/** A field of an API with what it says. */
export const ruleOfApi = (name: string, field: string): string => `${field} of API ${name}`;

/** An entry of a list of addresses. */
export const describeEntry = ({ list, range }: AddressEntry): string =>
  list === null ? range : `${range} of the address list ${list}`;
