/**
 * A file that is read item by item: so the memory needed follows the text and not a tree of it, and where something stands is looked up
 * only when it is asked for. What cannot be read by itself is not guessed: the whole file is read then.
 */
import { readYamlText, type ReadOptions, type YamlFile } from './document.ts';
import { createItemForms } from './item-forms.ts';
import { fieldName, type Position, type Problem } from './problem.ts';
import type { SplitList } from './split-list.ts';
import { UNKNOWN_ALIAS } from './syntax-message.ts';
import { itemsIn, wholeList, type ListedFile } from './whole-list.ts';

export interface ItemParts {
  readonly options: ReadOptions;
  /** The name of the field that holds the list. */
  readonly list: string;
  readonly split: SplitList;
  /** What stands around the items, with one line in place of them. */
  readonly rest: YamlFile;
  readonly whole: () => ListedFile;
}

/** In UTF-16 units: a tree of a larger text would take more memory than there may be, only to say where a mistake is. */
const READ_WHOLE = 1_048_576;
/** So many items are read together to tell a mistake in one from an item that was cut at the wrong place. */
const INVOLVED = 20;
/** The line of the field stands before the text of an item. */
const FIRST_LINE = 2;
/** In what stands around the items, in their place. */
const STAND_IN_LINES = 1;

export class ItemByItem implements ListedFile {
  readonly file: string;
  readonly content: { readonly value: unknown };
  readonly problems: Problem[];
  readonly unresolved: Set<string>;
  readonly #parts: ItemParts;
  readonly #files: Set<string>;
  /** The item that the library read last. */
  #latest: { readonly index: number; readonly file: YamlFile } | null = null;
  #failedAt = 0;

  constructor(parts: ItemParts) {
    const { options, list, rest } = parts;
    this.#parts = parts;
    this.file = options.file;
    this.content = { value: { ...(rest.content?.value as object), [list]: [] } };
    this.#files = new Set(rest.files);
    this.unresolved = new Set(rest.unresolved);
    this.problems = rest.problems.map((problem) => ({ ...problem, ...this.#aroundItems(problem) }));
  }

  get files(): readonly string[] {
    return [...this.#files];
  }

  readonly eachItem = (take: (value: unknown, index: number) => void): boolean => {
    const { split, list } = this.#parts;
    const forms = createItemForms();
    for (let index = 0; index < split.length; index++) {
      const text = split.textOf(index);
      const known = forms.read(text);
      if (known !== undefined) {
        take((known.value as readonly unknown[])[0], index);
        continue;
      }
      const file = this.#read(index);
      if (!isAlone(file, text, list)) {
        this.#failedAt = index;
        return false;
      }
      this.#note(file, index);
      take(itemsIn(file, list)[0], index);
    }
    return true;
  };

  readonly item = (index: number): unknown => itemsIn(this.#read(index), this.#parts.list)[0];

  readonly locate = (path: readonly PropertyKey[], what: 'key' | 'value' = 'value'): Position => {
    const inner = this.#inItem(path);
    // The list begins where the line begins that stands in place of it.
    if (inner === null) return this.#aroundItems(this.#parts.rest.locate(path, what));
    const { line, column } = this.#read(inner.index).locate(inner.path, what);
    return { line: this.#lineOf(line, inner.index), column };
  };

  readonly isWrittenHere = (path: readonly PropertyKey[]): boolean => {
    const inner = this.#inItem(path);
    return inner === null ? this.#parts.rest.isWrittenHere(path) : this.#read(inner.index).isWrittenHere(inner.path);
  };

  readonly whole = (): ListedFile => {
    const { options, list, split, whole } = this.#parts;
    if (split.textOf(0, split.length).length <= READ_WHOLE) return whole();
    const to = Math.min(this.#failedAt + INVOLVED, split.length);
    const some = readYamlText(`${list}:\n${split.textOf(this.#failedAt, to)}`, options);
    if (some.content !== null || some.problems.some(({ message }) => message === UNKNOWN_ALIAS)) return whole();
    const problems = some.problems.map((one) => ({ ...one, line: this.#lineOf(one.line, this.#failedAt) }));
    return wholeList({ ...some, problems }, list);
  };

  #read(index: number): YamlFile {
    const { options, list, split } = this.#parts;
    if (this.#latest?.index !== index)
      this.#latest = { index, file: readYamlText(`${list}:\n${split.textOf(index)}`, options) };
    return this.#latest.file;
  }

  /** What is known of an item's text belongs to the file. */
  #note({ files, problems, unresolved }: YamlFile, index: number): void {
    const { list } = this.#parts;
    const [here, there] = [fieldName([list, 0]), fieldName([list, index])];
    const moved = (text: string): string => there + text.slice(here.length);
    for (const file of files) this.#files.add(file);
    for (const field of unresolved) this.unresolved.add(moved(field));
    for (const problem of problems) {
      const { field, message, line } = problem;
      const place = { line: this.#lineOf(line, index), field: moved(field), message: moved(message) };
      this.problems.push({ ...problem, ...place });
    }
  }

  #inItem([field, index, ...inner]: readonly PropertyKey[]): { index: number; path: readonly PropertyKey[] } | null {
    const { list, split } = this.#parts;
    const isItem = field === list && typeof index === 'number' && index < split.length;
    return isItem ? { index, path: [list, 0, ...inner] } : null;
  }

  #lineOf(line: number, index: number): number {
    return line + this.#parts.split.lineOf(index) - FIRST_LINE;
  }

  #aroundItems({ line, column }: Position): Position {
    const { split } = this.#parts;
    const first = split.lineOf(0);
    return { line: line <= first ? line : line + split.restLine - first - STAND_IN_LINES, column };
  }
}

/** Whether the text of an item is one item, whatever else the file says. */
function isAlone(file: YamlFile, text: string, list: string): boolean {
  const value = file.content?.value;
  const isOne = typeof value === 'object' && value !== null && Object.keys(value).join() === list;
  return isOne && itemsIn(file, list).length === 1 && !(text.includes('&') && text.includes('*'));
}
