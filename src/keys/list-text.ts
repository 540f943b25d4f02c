/**
 * Reads the text of an address list: one address or range in a line, blank lines, and comments from # to the end of the line. Whatever
 * else it holds makes it no list at all: a page of HTML or a JSON document must never be taken for one.
 */
import { compileRanges, parseCidr, type AddressRanges, type Cidr } from '../lib/cidr.ts';

export type ReadListText =
  | { readonly ok: true; readonly ranges: AddressRanges; readonly entries: number }
  /** `why` is a clause about the text; `line` is where it stands. */
  | { readonly ok: false; readonly why: string; readonly line: number };

/** Without an entry it is no list either: a list that holds nobody is nearly always one that was lost. */
export function readListText(text: string): ReadListText {
  const cidrs: Cidr[] = [];
  let line = 0;
  for (const written of text.split('\n')) {
    line += 1;
    const hash = written.indexOf('#');
    // A byte order mark counts as white space.
    const entry = (hash === -1 ? written : written.slice(0, hash)).trim();
    if (entry === '') continue;
    const parsed = parseCidr(entry);
    if (!parsed.ok) return { ok: false, why: `line ${line} is no address: ${parsed.why}`, line };
    cidrs.push(parsed.value);
  }
  if (cidrs.length === 0) return { ok: false, why: 'it holds no address', line: 1 };
  return { ok: true, ranges: compileRanges(cidrs), entries: cidrs.length };
}
