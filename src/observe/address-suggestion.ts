/**
 * The shortest list of addresses and ranges that holds every address that was seen: many neighbours become their range.
 */
import { addressText, rangeOf, type AddressValue } from './address-value.ts';
import { join, type Tally } from './tallies.ts';

/** So many neighbours in one /24 or /64 become the range. */
const NEIGHBOURS = 16;

export interface SuggestedAddress {
  readonly value: string;
  readonly tally: Tally;
}

/** Of known addresses and of ranges. */
export function suggestAddresses(seen: ReadonlyMap<AddressValue, Tally>): SuggestedAddress[] {
  const byRange = new Map<AddressValue, (readonly [AddressValue, Tally])[]>();
  for (const entry of seen) {
    const range = rangeOf(entry[0]);
    byRange.set(range, [...(byRange.get(range) ?? []), entry]);
  }
  const suggested: SuggestedAddress[] = [];
  for (const [range, members] of byRange) {
    if (members.length < NEIGHBOURS && members.every(([value]) => value !== range))
      suggested.push(...members.map(([value, tally]) => ({ value: addressText(value), tally })));
    else suggested.push({ value: addressText(range), tally: together(members.map(([, tally]) => tally)) });
  }
  return suggested;
}

function together(tallies: readonly Tally[]): Tally {
  const [first, ...rest] = tallies;
  const sum = { ...(first as Tally) };
  for (const tally of rest) join(sum, tally);
  return sum;
}
