/** What the overview shows, as its address says it: which mode, how grouped, how far back, and what everything is filtered by. */
import type { Mode } from '../api/types.ts';
import { overviewAddress, type View } from '../route.ts';
import type { GroupBy } from './stack.ts';

/** By the names that they have in the address and in the admin API. */
export const FILTERS = ['reason', 'key', 'address', 'path', 'event', 'requestId'] as const;
export type FilterName = (typeof FILTERS)[number];
export type Filter = Readonly<Partial<Record<FilterName, string>>>;

/** In minutes. */
export const RANGES = ['60', '360', '1440'] as const;
export type Range = (typeof RANGES)[number];

export interface OverviewView {
  readonly mode: Mode;
  readonly by: GroupBy;
  readonly range: Range;
  readonly filter: Filter;
}

/** Whatever the address does not say, or says in a way that is not known, is as it is at first. */
export function readView(view: View): OverviewView {
  return {
    mode: view['mode'] === 'report' ? 'report' : 'enforce',
    by: view['by'] === 'key' ? 'key' : 'reason',
    range: RANGES.find((range) => range === view['range']) ?? '60',
    filter: Object.fromEntries(FILTERS.flatMap((name) => (view[name] === undefined ? [] : [[name, view[name]]]))),
  };
}

export type Change = Partial<Pick<OverviewView, 'mode' | 'by' | 'range'>> & {
  /** null: no longer filtered by it. */
  readonly filter?: Readonly<Partial<Record<FilterName, string | null>>>;
};

/** The address of the view with something changed. */
export function addressWith(view: OverviewView, { filter = {}, ...change }: Change): string {
  const { mode, by, range } = { ...view, ...change };
  const filters = Object.entries({ ...view.filter, ...filter }).filter(([, value]) => value !== null);
  return overviewAddress({
    ...Object.fromEntries(filters as [string, string][]),
    ...(mode === 'report' && { mode }),
    ...(by === 'key' && { by }),
    ...(range !== '60' && { range }),
  });
}

export const isFiltered = ({ filter }: OverviewView): boolean => Object.keys(filter).length > 0;
