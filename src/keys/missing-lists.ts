/**
 * The address lists that the configuration names and the keys in use do not bring: those in Redis may come and go at any time.
 * Tells of each when it goes and when it is back. What such a list means for an address is address-rule's to say.
 */
import { listsNamedIn } from '../config/named-lists.ts';
import type { Config } from '../config/schema.ts';
import type { ListStatus } from './address-lists.ts';
import type { KeySnapshot } from './key.ts';

export interface NamedListsPorts {
  readonly config: () => Config;
  readonly source: { readonly lists: () => readonly ListStatus[] };
  /** Puts keys to use. */
  readonly apply: (keys: KeySnapshot) => void;
  readonly log: Readonly<
    Record<'info' | 'warn', (event: string, fields: { readonly list: string; readonly detail: string }) => void>
  >;
}

export interface NamedLists {
  /** Those of the source, and those that are missing as if they had never been read. */
  readonly lists: () => readonly ListStatus[];
  /** Puts keys to use, and tells what is missing since. */
  readonly use: (keys: KeySnapshot) => void;
  /** To be called when the configuration is another than before. */
  readonly tell: () => void;
}

const WHY_MISSING =
  'the configuration names it, and the key source has no such list: it lets nobody in, and where it is denied it keeps everybody out';

export function followNamedLists({ config, source, apply, log }: NamedListsPorts): NamedLists {
  let keys: KeySnapshot | null = null;
  let told: ReadonlySet<string> = new Set();
  const missing = (): ReadonlySet<string> => {
    if (keys === null) return new Set();
    const { lists } = keys.records;
    const names = listsNamedIn(config()).map(({ name }) => name);
    return new Set(names.filter((name) => !('definition' in (lists.get(name) ?? {}))));
  };
  const tell = (): void => {
    const now = missing();
    for (const list of now) if (!told.has(list)) log.warn('address_list_missing', { list, detail: WHY_MISSING });
    for (const list of told)
      if (!now.has(list)) log.info('address_list_found', { list, detail: 'it is there, or nobody names it any more' });
    told = now;
  };
  return {
    lists: () => [...source.lists(), ...[...missing()].map(asStatus)],
    use(next) {
      keys = next;
      apply(next);
      tell();
    },
    tell,
  };
}

const asStatus = (name: string): ListStatus => ({ name, up: false, entries: 0, lastSuccessAt: null, why: WHY_MISSING });
