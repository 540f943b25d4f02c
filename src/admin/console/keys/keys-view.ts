/** The filter and the order of the table of keys in the address of the page, so that Back and a reload find them again. */
import type { View } from '../route.ts';
import { TYPE_NAMES } from '../ui/type-names.ts';
import type { KeyFilter, SortColumn, Sorting } from './key-rows.ts';

export const NO_FILTER: KeyFilter = { text: '', type: 'any', state: 'any' };
const NO_ORDER: Sorting = { column: 'id', descending: false };

const TYPES: readonly KeyFilter['type'][] = Object.keys(TYPE_NAMES) as (keyof typeof TYPE_NAMES)[];
const STATES: readonly KeyFilter['state'][] = ['active', 'disabled', 'expired', 'invalid'];
const COLUMNS: readonly SortColumn[] = ['id', 'type', 'state', 'lastUsedAt', 'refused'];

/** What the address does not say, or says wrongly, is as if nothing was chosen. */
export const filterOf = ({ text = '', type, state }: View): KeyFilter => ({
  text,
  type: TYPES.find((one) => one === type) ?? 'any',
  state: STATES.find((one) => one === state) ?? 'any',
});

export const sortingOf = ({ sort = '' }: View): Sorting => ({
  column: COLUMNS.find((one) => one === sort.replace(/^-/, '')) ?? NO_ORDER.column,
  descending: sort.startsWith('-'),
});

export const viewOf = ({ text, type, state }: KeyFilter, { column, descending }: Sorting): View => ({
  text,
  type: type === 'any' ? '' : type,
  state: state === 'any' ? '' : state,
  sort: column === NO_ORDER.column && !descending ? '' : `${descending ? '-' : ''}${column}`,
});
