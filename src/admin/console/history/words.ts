/** A change of the history in words: what was done, by whom, and each field as it was and as it is. Draws nothing. */
import type { HistoryChange, KeyDefinition } from '../api/types.ts';
import { FIELDS, type FieldName } from '../keys/fields.ts';

export type ChangedField = HistoryChange['fields'][string];

const ACTIONS: ReadonlyMap<string, string> = new Map([
  ['create', 'Created'],
  ['replace', 'Changed'],
  ['delete', 'Deleted'],
  ['rotate_secret', 'New secret'],
  ['delete_secret', 'Secret deleted'],
]);

export const KINDS = { key: 'Key', policy: 'Policy', list: 'List' } as const;

/** Such as `Changed`. */
export const actionInWords = ({ action }: Pick<HistoryChange, 'action'>): string =>
  ACTIONS.get(action) ?? ACTIONS.get(action.split('_', 1)[0] ?? '') ?? action;

/** Whoever made it; what was not made here has no name. */
export function whoInWords({ who }: Pick<HistoryChange, 'who'>): string {
  if (who === 'file') return 'Edit of the key file';
  return who === 'redis' ? 'Elsewhere, in Redis' : who;
}

const TITLES: ReadonlyMap<string, string> = new Map([
  ['type', 'Type'],
  ['secrets', 'Secrets'],
  ['entries', 'Addresses'],
  ['kind', 'Where the addresses are'],
  ['file', 'File'],
  ['url', 'URL'],
  ['refreshMinutes', 'Read again every (minutes)'],
  ['maxEntries', 'Most entries'],
  ['invalid', 'Cannot be read'],
]);

export const titleOf = (field: string): string =>
  Object.hasOwn(FIELDS, field) ? FIELDS[field as FieldName].title : (TITLES.get(field) ?? field);

export type FieldInWords =
  | { readonly how: 'too long' }
  | { readonly how: 'set'; readonly before: string; readonly after: string }
  /** Of lists, what came, what went and, in sentences, what is another than it was. */
  | {
      readonly how: 'list';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly changed?: readonly string[];
    };

export function fieldInWords(field: string, { before, after, tooLong }: ChangedField): FieldInWords {
  if (tooLong === true) return { how: 'too long' };
  if (!Array.isArray(before) || !Array.isArray(after))
    return { how: 'set', before: valueInWords(field, before), after: valueInWords(field, after) };
  if (field === 'secrets') return secretsInWords(before as readonly Secret[], after as readonly Secret[]);
  const [old, now] = [before.map(itemInWords), after.map(itemInWords)];
  const added = now.filter((item) => !old.includes(item));
  const removed = old.filter((item) => !now.includes(item));
  if (added.length + removed.length > 0) return { how: 'list', added, removed };
  return { how: 'set', before: old.join(', '), after: now.join(', ') };
}

interface Secret {
  readonly id: string;
  readonly expiresAt: string | null;
}

/** One that ends at another time now is neither new nor gone. */
function secretsInWords(before: readonly Secret[], after: readonly Secret[]): FieldInWords {
  const had = new Map(before.map(({ id, expiresAt }) => [id, expiresAt]));
  const has = new Set(after.map(({ id }) => id));
  return {
    how: 'list',
    added: after.filter(({ id }) => !had.has(id)).map(itemInWords),
    removed: before.filter(({ id }) => !has.has(id)).map(({ id }) => id),
    changed: after
      .filter(({ id, expiresAt }) => had.has(id) && had.get(id) !== expiresAt)
      .map(({ id, expiresAt }) => `${id} ends ${expiresAt ?? 'never'}`),
  };
}

function valueInWords(field: string, value: unknown): string {
  if (value === null || value === undefined) return NULL_WORDS.get(field) ?? 'Not said';
  if (Array.isArray(value)) return value.map(itemInWords).join(', ') || 'None';
  if (field === 'rateLimit') return FIELDS.rateLimit.words({ rateLimit: value } as unknown as KeyDefinition);
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  return itemInWords(value);
}

/** Where nothing is something that was said. */
const NULL_WORDS: ReadonlyMap<string, string> = new Map([
  ['expiresAt', 'Never'],
  ['policy', 'None'],
]);

/** An entry of a list: an address, a list, a secret, or a text. */
function itemInWords(item: unknown): string {
  if (typeof item === 'string') return item === '' ? 'Nothing' : item;
  if (typeof item !== 'object' || item === null) return JSON.stringify(item);
  const { address, description, list, id, expiresAt } = item as Readonly<Record<string, unknown>>;
  if (typeof address === 'string') return [address, description].filter(Boolean).join(' ');
  if (typeof list === 'string') return `list ${list}`;
  if (typeof id === 'string') return typeof expiresAt === 'string' ? `${id} until ${expiresAt}` : id;
  return JSON.stringify(item);
}
