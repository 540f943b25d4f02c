/**
 * Reads items that differ from one read before in nothing but words, which in a long list are nearly all: YAML's structure does not
 * depend on which letters and digits a word is made of. The YAML library alone reads each form, once, and says which texts are no
 * texts; whatever a word could change stays part of the form, or has the item read by the library.
 */
import { Document, isMap, isScalar, isSeq, parseDocument, Scalar, visit } from 'yaml';
import { YAML_OPTIONS } from './yaml-nodes.ts';

export interface ItemForms {
  /** What `text`, a list of one item, says; undefined: the form was not seen before, or words matter in it. */
  readonly read: (text: string) => { readonly value: unknown } | undefined;
}

/** In a file of keys that all differ in form, these are kept for nothing: about a megabyte. */
const MOST_FORMS = 2000;

/**
 * A tag says what a word is, and references are replaced elsewhere, also one that a backslash at the end of a line cuts in two. NUL
 * marks the places of words.
 */
const WORDS_MATTER = /[!\\\0]|\$\{/;

const WORD = /[A-Za-z0-9]+/g;
/** Behind names of fields, which stay in the form: equal ones are a mistake that only the library finds. */
const AFTER_NAME = /:(?:\s|$)|["'][ \t]*:/y;

export function createItemForms(): ItemForms {
  /** null: words matter. A form is looked at when it comes a second time: many come but once. */
  const forms = new Map<string, Fill | null | undefined>();
  const plain = createPlainReader();
  /** Most items have the form of the one before. */
  let latest: Known | null = null;
  return {
    read(text) {
      const again = latest?.pattern.exec(text);
      if (latest && again) return { value: latest.fill(again.slice(1)) };
      if (WORDS_MATTER.test(text)) return undefined;
      const words: string[] = [];
      const form = text.replace(WORD, (word, at: number) => {
        AFTER_NAME.lastIndex = at + word.length;
        if (AFTER_NAME.test(text)) return word;
        words.push(word);
        return '\0';
      });
      let fill = forms.get(form);
      if (fill === undefined) {
        if (forms.has(form)) forms.set(form, (fill = fillOf(form, plain)));
        else if (forms.size < MOST_FORMS) forms.set(form, undefined);
      }
      if (!fill) return undefined;
      if (words.length <= MOST_WORDS) latest = { pattern: patternOf(form), fill };
      return { value: fill(words) };
    },
  };
}

interface Known {
  /** Takes the words out of an item of the form, and matches no other. */
  readonly pattern: RegExp;
  readonly fill: Fill;
}

/** A longer pattern would take longer to make than it saves. */
const MOST_WORDS = 100;

/** What stands between words has no letter or digit at its ends, so that each place takes one whole word. */
const patternOf = (form: string): RegExp => new RegExp(`^${form.split('\0').map(literally).join('([A-Za-z0-9]+)')}$`);

const literally = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '\\$&');

/** Makes the value of an item of its words. */
type Fill = (words: readonly string[]) => unknown;

/** No word that anybody writes: no number, boolean or null, and its first letter no escape and no part of the head of a block of text. */
const MARK = 'pOsTeRn7WoRd';
const MARKED = /pOsTeRn7WoRd(\d+)Z/;

function fillOf(form: string, plain: PlainReader): Fill | null {
  if (form.includes(MARK)) return null;
  let count = 0;
  const document = parseDocument(
    form.replaceAll('\0', () => `${MARK}${count++}Z`),
    { ...YAML_OPTIONS, prettyErrors: false },
  );
  if (document.errors.length > 0 || document.warnings.length > 0) return null;
  let wordsMatter = false;
  visit(document, {
    Pair(_, { key }) {
      // A mapping as a key, a merge key, a name that every object has: nothing that files of keys hold.
      if (!isScalar(key) || typeof key.value !== 'string' || MARKED.test(key.value) || key.value in {})
        wordsMatter = true;
    },
    Scalar(where, node) {
      if (where !== 'key' && typeof node.value === 'string')
        node.value = gapsOf(node.value, node.type === Scalar.PLAIN);
    },
  });
  return wordsMatter ? null : fillOfNode(document.contents, plain);
}

/** A text with places for words: texts and numbers of words in turn. */
class Gaps {
  readonly parts: readonly string[];
  readonly numbers: readonly number[];
  readonly plain: boolean;

  constructor(parts: readonly string[], numbers: readonly number[], plain: boolean) {
    this.parts = parts;
    this.numbers = numbers;
    this.plain = plain;
  }
}

function gapsOf(text: string, plain: boolean): Gaps | string {
  const pieces = text.split(MARKED);
  if (pieces.length === 1) return text;
  const parts = pieces.filter((_, index) => index % 2 === 0);
  return new Gaps(parts, pieces.filter((_, index) => index % 2 === 1).map(Number), plain);
}

function fillOfNode(node: unknown, plain: PlainReader): Fill | null {
  if (isSeq(node)) {
    const items = node.items.map((item) => fillOfNode(item, plain));
    return items.includes(null) ? null : (words) => items.map((fill) => (fill as Fill)(words));
  }
  if (isMap(node)) {
    const fields = node.items.map(
      ({ key, value }) => [(key as Scalar<string>).value, fillOfNode(value, plain)] as const,
    );
    if (fields.some(([, fill]) => fill === null)) return null;
    return (words) => {
      const map: Record<string, unknown> = {};
      for (const [name, fill] of fields) map[name] = (fill as Fill)(words);
      return map;
    };
  }
  // A field without a value.
  if (node === null) return () => null;
  if (!isScalar(node)) return null;
  const { value } = node;
  if (!(value instanceof Gaps)) return () => value;
  const { plain: isPlain } = value;
  const text = fillOfGaps(value);
  return isPlain ? (words) => plain(text(words)) : text;
}

function fillOfGaps({ parts, numbers }: Gaps): (words: readonly string[]) => string {
  const [number = 0] = numbers;
  // Two words have something between them.
  if (parts.every((part) => part === '')) return (words) => words[number] as string;
  return (words) => {
    let text = parts[0] as string;
    for (let i = 0; i < numbers.length; i++) text += (words[numbers[i] as number] as string) + (parts[i + 1] as string);
    return text;
  };
}

/** What a text without quotes stands for. */
type PlainReader = (text: string) => unknown;

const MOST_RESOLVED = 1000;

/** The library's own tests tell which texts are no texts; those it reads itself. */
function createPlainReader(): PlainReader {
  const tests = new Document(null, YAML_OPTIONS).schema.tags.flatMap((tag) =>
    'test' in tag && tag.test !== undefined && tag.default === true ? [tag.test] : [],
  );
  const resolved = new Map<string, unknown>();
  return (text) => {
    if (!tests.some((test) => test.test(text))) return text;
    if (resolved.has(text)) return resolved.get(text);
    const value: unknown = parseDocument(text, YAML_OPTIONS).toJS();
    if (resolved.size < MOST_RESOLVED) resolved.set(text, value);
    return value;
  };
}
