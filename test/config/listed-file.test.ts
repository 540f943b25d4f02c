import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { readYamlText, type YamlFile } from '../../src/config/document.ts';
import { readListedText } from '../../src/config/listed-file.ts';
import { itemsIn } from '../../src/config/whole-list.ts';

const schema = {
  properties: { keys: { items: { properties: { n: { type: 'integer' }, a: { type: 'string' } } } } },
} as const;
const options = { file: 'keys.yaml', env: { SET: 'of the environment', EMPTY: '' }, schema };
/** Shorter texts are read as a whole. */
const PADDING = `${'#'.repeat(79)}\n`.repeat(110);

interface Reading {
  readonly file: YamlFile;
  readonly items: readonly unknown[];
  readonly again: readonly unknown[];
  /** Whether the list was not read as a whole. */
  readonly isByItem: boolean;
}

function readByItem(text: string): Reading {
  let file = readListedText(text, options, 'keys');
  let items: unknown[] = [];
  if (!file.eachItem((item) => void items.push(item))) {
    file = file.whole();
    items = [];
    file.eachItem((item) => void items.push(item));
  }
  const again = items.map((_, index) => file.item(index));
  return { file, items, again, isByItem: items.length > 0 && itemsIn(file, 'keys').length === 0 };
}

function readAtOnce(text: string): Reading {
  const file = readYamlText(text, options);
  const items = itemsIn(file, 'keys');
  return { file, items, again: items, isByItem: false };
}

/** All that a reading tells, at each of these paths. */
function told({ file, items, again }: Reading, paths: readonly (readonly PropertyKey[])[]) {
  const { content, problems, unresolved, files } = file;
  return {
    value: content === null ? null : { ...(content.value as object), ...(items.length > 0 && { keys: items }) },
    again,
    problems,
    unresolved: [...unresolved].toSorted(),
    files: [...files].toSorted(),
    places: paths.map((path) => [file.locate(path), file.locate(path, 'key'), file.isWrittenHere(path)]),
  };
}

function pathsOf(value: unknown, path: readonly PropertyKey[] = []): (readonly PropertyKey[])[] {
  if (typeof value !== 'object' || value === null) return [path, [...path, 'none']];
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...inner.flatMap(([step, one]) => pathsOf(one, [...path, step as PropertyKey]))];
}

/** The padding stands where it moves no first line. */
const padded = (text: string): string => (/^[%-]/.test(text) ? text + PADDING : PADDING + text);

/** What the two readings of a text tell. */
function bothReadings(text: string): { byItem: Reading; itemwise: unknown; atOnce: unknown } {
  const [atOnce, byItem] = [readAtOnce(padded(text)), readByItem(padded(text))];
  const paths = pathsOf(atOnce.file.content?.value);
  return { byItem, itemwise: told(byItem, paths), atOnce: told(atOnce, paths) };
}

const WORDS = [
  'a',
  'b7',
  'Zz',
  '12',
  '0',
  '010',
  '1e5',
  '0x1F',
  '0o17',
  'true',
  'null',
  'NULL',
  'yes',
  'inf',
  'NaN',
  'off',
];
const word = fc.oneof(fc.constantFrom(...WORDS), fc.stringMatching(/^[a-zA-Z0-9]{1,12}$/));

/** Items as people and programs write them; `@` stands for a word. */
const USUAL = [
  '- id: @\n  n: @\n',
  '- { id: @, n: [@, "@", \'@\'] }\n',
  '- {"id":"@","n":@,"list":[{"hash":"sha256:@"},@.@.@.@/28]}\n',
  '-\n  id: @ # about @\n  list:\n  - @\n  - @ @: x\n  - "@ # @"\n',
  '- id: "@-@"\n\n  # @\n  deep: { c: 1, a: "x: @", bcd: null, e: , f: "", g: x@ }\n',
  '- a: -@\n  b: .@\n  c: +@.@\n  d: ~@\n  e: @.@\n  f: ?@\n  g: :@\n',
  '- - @\n  - [a: @, "a":@]\n',
  '- a: @\n  b: ${SET}@\n  n: ${EMPTY:-@}\n',
  '- @\n- "@"\n- @ @\n  @\n',
  '- a: @\r\n  b: @\r\n',
  "- 'it''s @'\n- '@\n  @'\n",
  '- a: |\n    @\n\n  b: >-\n    @\n',
] as const;

const ODD = [
  ...USUAL,
  '- ? @\n  : @\n',
  '- a: @\n  a: @\n',
  '- @: 1\n  @: 2\n',
  '- { @@: 1, @: 2 }\n',
  '- a: ${@}\n',
  '- a: "\\x4@ \\t@"\n',
  '- !@ @\n',
  '- ! @\n',
  '- !!str @\n',
  '- a: |@\n    @\n',
  '- &@ @\n  b: *@\n',
  '- a: &x @\n  b: *x\n',
  '- "\\n@ \\\\@ \\n-@"\n',
  '- > @\n',
  '- &@ @\n',
  '- a: "$\\\n    {SET}@"\n',
  '- a: "\\x24{SET}@"\n',
  '- *@\n',
  '- constructor: @\n  __proto__: @\n',
  '- <<: { a: @ }\n  b: @\n',
  '- "@\n- @"\n',
  '- [@,\n- @]\n',
  '- a: @\n b: @\n',
  '-\t@\n',
  '- a:\t@\n',
  '- \u2028@\n- \u00e4@: @\n',
  '- a: "$\\\n    {SET}@"\n',
] as const;

const PLAIN = [
  ['', ''],
  ['---\n', ''],
  ['# @\npolicies:\n  a@: { n: ${SET} }\n', 'lists: ["${NONE}"]\nanother: x@\n'],
] as const;

const HOSTILE = [
  ...PLAIN,
  ['policies:\n  @: &@ { n: ${SET} }\n', 'lists: ["${NONE}"]\nanother: *@\n'],
  ['', '---\n@: 1\n'],
  ['', '...\n'],
  ['%YAML 1.1\n---\n', ''],
  ['a: "@\n', 'b: @"\n'],
  ['a: |\n  @\n', ' c: @\n'],
  ['', 'keys: []\n'],
  ['"keys": @\n', ''],
  ['{ a: [\n', '] }\n'],
  ['{ a: @,\n', '}\n'],
  ['&a { a: @,\n', ', b: @ }\n'],
] as const;

/** One form, several times with other words. */
const itemsOf = (forms: readonly string[]): fc.Arbitrary<string> =>
  fc.constantFrom(...forms).chain((form) => {
    const places = form.split('@').length - 1;
    const item = fc.array(word, { minLength: places, maxLength: places }).map((words) => {
      const left = [...words];
      return form.replaceAll('@', () => left.pop() ?? '');
    });
    return fc.array(item, { minLength: 1, maxLength: 5 }).map((items) => items.join(''));
  });

const FIELDS = ['keys:\n', 'keys: # @\n', 'keys:  \r\n', 'keys:\n\n# @\n'];

interface Manner {
  readonly around: readonly (readonly [string, string])[];
  readonly fields: readonly string[];
  readonly forms: readonly string[];
  readonly mayEnd: boolean;
  /** How many forms. */
  readonly most: number;
}

const fileIn = ({ around, fields, forms, mayEnd, most }: Manner): fc.Arbitrary<string> =>
  fc
    .record({
      around: fc.constantFrom(...around),
      field: fc.constantFrom(...fields),
      items: fc.array(itemsOf(forms), { minLength: 1, maxLength: most }),
      indent: fc.constantFrom('', '  ', '    '),
      word,
      cut: mayEnd ? fc.nat(40) : fc.constant(0),
    })
    .map(({ around: [before, after], field, items, indent, word: name, cut }) => {
      const list = items.join('').replaceAll(/^(?=.)/gm, indent);
      const text = `${before}${field}${list}${after}`.replaceAll('@', () => name);
      return text.slice(0, text.length - cut);
    });

const usualFile = fileIn({ around: PLAIN, fields: FIELDS, forms: USUAL, mayEnd: false, most: 4 });
const oddFile = fileIn({
  around: [...HOSTILE, ...PLAIN, ...PLAIN],
  fields: [...FIELDS, 'keys: []\n', 'keys: &a\n', 'keys: *a\n', 'keys:#\n', ' keys:\n', 'x: 1\nkeys:\n- 1\nkeys:\n'],
  forms: ODD,
  mayEnd: true,
  most: 2,
});

t.test('item by item says what the whole file says, of files as people and programs write them', async (t) => {
  let readByItems = 0;
  fc.assert(
    fc.property(usualFile, (text) => {
      const { byItem, itemwise, atOnce } = bothReadings(text);
      if (byItem.isByItem) readByItems += 1;
      return isDeepStrictEqual(itemwise, atOnce);
    }),
    { numRuns: 250 },
  );
  t.ok(readByItems > 100, `${readByItems} were read item by item`);
});

t.test('and of files that are odd, broken, or cut off', async (t) => {
  let [readByItems, refused] = [0, 0];
  fc.assert(
    fc.property(oddFile, (text) => {
      const { byItem, itemwise, atOnce } = bothReadings(text);
      if (byItem.isByItem) readByItems += 1;
      if (byItem.file.content === null) refused += 1;
      return isDeepStrictEqual(itemwise, atOnce);
    }),
    { numRuns: 350 },
  );
  t.ok(readByItems > 10 && refused > 50, `${readByItems} were read item by item, ${refused} not at all`);
});

/** As many of one form as have it known after the first. */
const many = (item: string): string => item.repeat(3);

for (const [what, text] of [
  [
    'a list in lines of its own, where only one in brackets can stand',
    `{ policies: {},\nkeys:\n${many('- id: a\n')}}\n`,
  ],
  ['a reference that the end of a line cuts in two', `keys:\n${many('- a: "$\\\n    {SET}"\n')}`],
  ['an anchor that an item sets anew', 'a: &x 1\nkeys:\n  - &x 2\n  - 3\nb: *x\n'],
  ['a literal one that does', `keys:\n${many('- a: "$$\\\n    {SET}"\n')}`],
] as const)
  t.test(`both readings agree on ${what}`, async (t) => {
    const { itemwise, atOnce } = bothReadings(text);
    t.same(itemwise, atOnce);
  });

t.test(
  'a list is read item by item wherever it stands in the file, and a short file or one in JSON as a whole',
  async (t) => {
    const items = '  - x\n  - y: 1\n';
    const [outside, inside] = [`a: &x 1\nkeys:\n${items}b: *x\n`, `keys:\n${items}  - &x 1\n  - "R&D"\n`];
    for (const text of [`keys:\n${items}`, `a: 1\nkeys:\n${items}`, outside, inside]) {
      const { byItem, itemwise, atOnce } = bothReadings(text);
      t.equal(byItem.isByItem, true, text);
      t.same(itemwise, atOnce);
    }
    t.equal(readByItem(`keys:\n${items}`).isByItem, false);
    const json = JSON.stringify({ padding: PADDING, keys: ['x', { y: 1 }] }, null, 1);
    const read = readByItem(json);
    t.same([read.isByItem, read.items], [false, ['x', { y: 1 }]]);
    t.same(read.file.locate(['keys', 1, 'y']), readYamlText(json, options).locate(['keys', 1, 'y']));
    t.same([read.file.files, read.file.problems, read.file.isWrittenHere(['keys'])], [['keys.yaml'], [], true]);
  },
);
