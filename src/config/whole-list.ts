/**
 * A YAML file whose bulk is one list, and such a file that was read as a whole. Reads nothing itself.
 */
import type { YamlFile } from './document.ts';

/** The list in `content` is empty where its items are read one by one. */
export interface ListedFile extends YamlFile {
  /**
   * Gives each item of the list; after that, `problems`, `unresolved` and `files` are complete. false: one cannot be read by itself,
   * what was given counts for nothing, and `whole` has to be used.
   */
  readonly eachItem: (take: (value: unknown, index: number) => void) => boolean;
  readonly item: (index: number) => unknown;
  /** The same file, read in another way if need be. */
  readonly whole: () => ListedFile;
}

export function wholeList(file: YamlFile, list: string): ListedFile {
  const items = itemsIn(file, list);
  const listed: ListedFile = {
    ...file,
    eachItem(take) {
      items.forEach(take);
      return true;
    },
    item: (index) => items[index],
    whole: () => listed,
  };
  return listed;
}

/** Of the list under this name; none where there is no list. */
export function itemsIn({ content }: YamlFile, list: string): readonly unknown[] {
  const value = fieldOf(content?.value, list);
  return Array.isArray(value) ? value : [];
}

/** undefined: there is no such field. */
export const fieldOf = (value: unknown, name: string): unknown =>
  isMapping(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
