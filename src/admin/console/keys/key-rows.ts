/** The rows of the table of keys: what is shown of each, which of them, and in which order. */
import type { KeyDefinition, KeyList, KeyState, KeyStatus, KeyType, Status, RefusalCounts } from '../api/types.ts';
import { finderOf } from './key-search.ts';

export interface KeyRow {
  readonly id: string;
  /** null: what is stored cannot be read. */
  readonly definition: KeyDefinition | null;
  readonly state: KeyState;
  /** Why an invalid one is not used. */
  readonly why: string | null;
  readonly lastUsedAt: string | null;
  /** Refusals in the last hour. */
  readonly refused: number;
  readonly wouldRefuse: number;
  readonly warnings: number;
}

export interface KeyFilter {
  readonly text: string;
  readonly type: KeyType | 'any';
  readonly state: KeyState | 'any';
}

export type SortColumn = 'id' | 'type' | 'state' | 'lastUsedAt' | 'refused';

export interface Sorting {
  readonly column: SortColumn;
  readonly descending: boolean;
}

export function keyRows({ keys, invalid }: KeyList, status: Status | null, summary: RefusalCounts | null): KeyRow[] {
  const known = new Map(status?.keys.map((key) => [key.id, key]));
  const [refused, wouldRefuse] = [totals(summary, 'enforce'), totals(summary, 'report')];
  const counted = (id: string) => ({ refused: refused.get(id) ?? 0, wouldRefuse: wouldRefuse.get(id) ?? 0 });
  return [
    ...keys.map((definition) => {
      const key = known.get(definition.id);
      return {
        id: definition.id,
        definition,
        state: stateOf(definition, key),
        why: key?.why ?? null,
        lastUsedAt: latest(key),
        warnings: key?.warnings.length ?? 0,
        ...counted(definition.id),
      };
    }),
    ...invalid.map(({ id, why }) => ({
      id,
      definition: null,
      state: 'invalid' as const,
      why,
      lastUsedAt: null,
      warnings: 0,
      ...counted(id),
    })),
  ];
}

export function select(rows: readonly KeyRow[], { text, type, state }: KeyFilter): KeyRow[] {
  const isMeant = finderOf(text);
  return rows.filter(
    (row) =>
      (type === 'any' || row.definition?.type === type) && (state === 'any' || row.state === state) && isMeant(row),
  );
}

export function sort(rows: readonly KeyRow[], { column, descending }: Sorting): KeyRow[] {
  const direction = descending ? -1 : 1;
  return rows.toSorted((a, b) => direction * compare(valueIn(a, column), valueIn(b, column)) || compare(a.id, b.id));
}

const valueIn = (row: KeyRow, column: SortColumn): string | number =>
  column === 'type' ? (row.definition?.type ?? '') : (row[column] ?? '');

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

const stateOf = ({ enabled }: KeyDefinition, key: KeyStatus | undefined): KeyState =>
  enabled ? (key?.state ?? 'active') : 'disabled';

const latest = (key: KeyStatus | undefined): string | null =>
  key?.secrets.reduce<string | null>(
    (last, { lastUsedAt }) => ((lastUsedAt ?? '') > (last ?? '') ? lastUsedAt : last),
    null,
  ) ?? null;

/** By key, in all minutes. */
function totals(summary: RefusalCounts | null, mode: 'enforce' | 'report'): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const minute of summary?.minutes ?? [])
    for (const [id, count] of Object.entries(minute[mode].byKey)) sums.set(id, (sums.get(id) ?? 0) + count);
  return sums;
}
