/**
 * A list of addresses as a key or an API holds it: ranges of its own, and names of address lists, which are looked up among those
 * of the snapshot that a request took. So a list is in memory once, and a change of it touches no key. Fails closed: an address
 * that is not known is let in by no list, and one that is not there lets nobody in and keeps everybody out.
 */
import type { Address } from '../lib/address.ts';
import { compileAddressSet, parseCidr, type AddressSet, type Cidr } from '../lib/cidr.ts';

/** Every address list of a snapshot by its name. */
export type AddressLists = ReadonlyMap<string, AddressSet>;

/** What made a rule hold. */
export interface AddressEntry {
  /** The address list that it stands in; null: in the rule itself. */
  readonly list: string | null;
  /** The range, in CIDR notation. */
  readonly range: string;
}

/** Immutable. */
export interface AddressRule {
  /** As it was written, without descriptions. */
  readonly written: () => 'anywhere' | readonly WrittenEntry[];
  /** Whether the rule is for this address; null: an address that is not known. */
  readonly holds: (address: Address | null, lists: AddressLists) => boolean;
  /** Which entry holds the address; null: none, or not only this one. */
  readonly entryOf: (address: Address | null, lists: AddressLists) => AddressEntry | null;
}

/** An entry as written, read already. */
export type WrittenEntry = { readonly address: string } | { readonly list: string };

/** Holds for every address, known or not. */
export const ANYWHERE: AddressRule = { holds: () => true, entryOf: () => null, written: () => 'anywhere' };

/** Holds for none. */
export const NOWHERE: AddressRule = { holds: () => false, entryOf: () => null, written: () => [] };

/** Whom a list lets in. Entries are valid already. */
export const compileAllowRule = (entries: 'anywhere' | readonly WrittenEntry[]): AddressRule =>
  entries === 'anywhere' ? ANYWHERE : new ListedAddresses(entries, false);

/** Whom a list keeps out: those on it, and whoever cannot be told apart from them. */
export const compileDenyRule = (entries: readonly WrittenEntry[]): AddressRule =>
  entries.length === 0 ? NOWHERE : new ListedAddresses(entries, true);

const NO_NAMES: readonly string[] = [];

class ListedAddresses implements AddressRule {
  readonly #ranges: readonly string[];
  readonly #names: readonly string[];
  /** What holds where it cannot be known. */
  readonly #inDoubt: boolean;
  /** Made at the first question: of very many keys most are never used in one process. */
  #own: AddressSet | null = null;

  constructor(entries: readonly WrittenEntry[], inDoubt: boolean) {
    const ranges: string[] = [];
    const names: string[] = [];
    for (const entry of entries) {
      if ('address' in entry) ranges.push(entry.address);
      else names.push(entry.list);
    }
    // A copy has no room for more, as a list has that has grown: there may be very many of these.
    this.#ranges = ranges.slice();
    this.#names = names.length === 0 ? NO_NAMES : names;
    this.#inDoubt = inDoubt;
  }

  holds(address: Address | null, lists: AddressLists): boolean {
    if (address === null) return this.#inDoubt;
    if (this.#set().has(address)) return true;
    for (const name of this.#names) if (lists.get(name)?.has(address) ?? this.#inDoubt) return true;
    return false;
  }

  entryOf(address: Address | null, lists: AddressLists): AddressEntry | null {
    const own = this.#set().rangeOf(address);
    if (own !== null) return { list: null, range: own };
    for (const list of this.#names) {
      const range = lists.get(list)?.rangeOf(address) ?? null;
      if (range !== null) return { list, range };
    }
    return null;
  }

  written(): readonly WrittenEntry[] {
    return [...this.#ranges.map((address) => ({ address })), ...this.#names.map((list) => ({ list }))];
  }

  #set(): AddressSet {
    return (this.#own ??= compileAddressSet(this.#ranges.map(cidrOf)));
  }
}

/** A range that validation has let through. */
function cidrOf(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new TypeError(parsed.why);
  return parsed.value;
}
