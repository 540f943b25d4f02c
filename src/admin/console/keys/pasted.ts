/**
 * Many addresses in one text, as they are pasted from a table, a file or a mail: one in a line or between commas, each with a description
 * behind it. Judges no address: the server does.
 */
import type { Location } from './fields.ts';

/** What looks like an address or a range: a description need not be one. */
const isAddress = (text: string): boolean => /^[0-9a-fA-F.:]+(?:\/\d+)?$/.test(text) && /[.:]/.test(text);

/** The rows of a text; null: it is no more than one address, which stays as it is typed. */
export function pastedRows(text: string): readonly Location[] | null {
  const rows = text
    .split(/[\r\n;]+/)
    .map((line) => line.replace(/#/, ' ').trim())
    .filter((line) => line !== '')
    .flatMap(rowsOfLine);
  return rows.length < 2 ? null : withoutRepeats(rows);
}

/** A line of addresses alone, or one address and what is said of it. */
function rowsOfLine(line: string): Location[] {
  const parts = line.split(/[\s,]+/).filter((part) => part !== '');
  if (parts.every(isAddress)) return parts.map((address) => ({ address, description: '' }));
  const [address = ''] = parts;
  const description = line.slice(address.length).replace(/^[\s,:-]+/, '');
  return [{ address, description }];
}

function withoutRepeats(rows: readonly Location[]): Location[] {
  const seen = new Set<string>();
  return rows.filter(({ address }) => !seen.has(address) && seen.add(address));
}

/** Rows with those pasted at one place, where the row at that place was blank. What is listed already is not listed twice. */
export function withPasted(rows: readonly Location[], at: number, pasted: readonly Location[]): Location[] {
  const others = rows.filter((_, index) => index !== at);
  const listed = new Set(others.map(({ address }) => address.trim()));
  const own = rows[at];
  const kept = own === undefined || own.address.trim() === '' ? [] : [own];
  const added = pasted.filter(({ address }) => !listed.has(address) && address !== own?.address.trim());
  return [...others.slice(0, at), ...kept, ...added, ...others.slice(at)];
}

/** For each row, the number of an earlier one with the same address; 0: there is none. */
export function repeats(rows: readonly Location[]): number[] {
  const first = new Map<string, number>();
  return rows.map(({ address }, index) => {
    const name = address.trim().toLowerCase();
    if (name === '') return 0;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index + 1);
    return earlier ?? 0;
  });
}
