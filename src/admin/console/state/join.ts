/**
 * Joins two people's changes of one thing: what was typed here since a form was read, and what somebody else has saved since. Rows of
 * lists are joined one by one, so that neither loses one; of all else, what was typed here stays.
 */

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Members of a form that change together, such as a choice and what it makes room for. */
export type Group<D> = readonly (keyof D)[];

/** What was `typed` since `base`, on top of what is stored `now`. */
export function joined<D extends object>(groups: readonly Group<D>[], { typed, base, now }: Three<D>): D {
  return groups.reduce((form, members) => ({ ...form, ...joinedGroup(members, { typed, base, now }) }), now);
}

export interface Three<D> {
  readonly typed: D;
  readonly base: D;
  readonly now: D;
}

function joinedGroup<D extends object>(members: Group<D>, { typed, base, now }: Three<D>): Partial<D> {
  const of = (form: D): Partial<D> =>
    Object.fromEntries(members.map((member) => [member, form[member]])) as unknown as Partial<D>;
  if (same(of(typed), of(base))) return of(now);
  if (same(of(now), of(base))) return of(typed);
  return Object.fromEntries(
    members.map((member) => {
      const [mine, was, theirs] = [typed[member], base[member], now[member]];
      const areLists = Array.isArray(mine) && Array.isArray(was) && Array.isArray(theirs);
      return [member, areLists ? joinedRows(mine, was, theirs) : same(mine, was) ? theirs : mine];
    }),
  ) as unknown as Partial<D>;
}

/** Rows that either added are there, rows that either removed are not, and a row that was changed here is as it was typed. */
export function joinedRows<R>(typed: readonly R[], base: readonly R[], now: readonly R[]): R[] {
  const [mine, before, theirs] = [byName(typed), byName(base), byName(now)];
  const kept = [...theirs].flatMap(([name, row]) => {
    const own = mine.get(name);
    if (own === undefined) return before.has(name) ? [] : [row];
    return [same(own, before.get(name)) ? row : own];
  });
  const added = [...mine].filter(([name]) => !theirs.has(name) && !before.has(name)).map(([, row]) => row);
  return [...kept, ...added];
}

/** A row that has been named twice is one. */
const byName = <R>(rows: readonly R[]): Map<string, R> => new Map(rows.map((row) => [nameOf(row), row]));

function nameOf(row: unknown): string {
  if (typeof row !== 'object' || row === null) return String(row).trim();
  const { address } = row as { readonly address?: string };
  return address?.trim() ?? JSON.stringify(row);
}
