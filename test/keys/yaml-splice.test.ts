import fc from 'fast-check';
import t from 'tap';
import { parse, parseDocument, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import {
  addFields,
  asList,
  asMap,
  changeList,
  columnOf,
  inline,
  insertLines,
  lineEnd,
  type ListItem,
  pairOf,
  removePair,
  replaceByLines,
  replaceValue,
  setFields,
  spliced,
} from '../../src/keys/yaml-splice.ts';

t.test('a value on one line is read back as it was, wherever it stands', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '',
      ' ',
      'yes',
      'NULL',
      '~',
      '1',
      '0x1',
      '1e3',
      '2027-01-01',
      '1_000',
      '0b1',
      '010',
      '0o14',
      '+1',
      '.5',
      '=',
      '::1',
      '- a',
      'a: b',
      '#',
      "it's",
      '"',
      '\\',
      '\u2028',
      '\u0085',
      '\ufeff',
      '\ud800',
      '{',
      '}',
      '[a]',
      'a, b',
      '*a',
      '&a',
      '!a',
      '%',
      '@',
      '`',
      '|',
      '>',
      '<<',
      'sha256:',
    ),
  );
  const value = fc.oneof(
    text,
    fc.boolean(),
    fc.integer(),
    fc.constant(null),
    fc.array(text),
    fc.record({ address: text, description: text }),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(value, (written) => {
        const line = inline(written);
        if (/[\r\n]/.test(line)) return false;
        const expected = JSON.stringify(written);
        return (['1.1', '1.2'] as const)
          .flatMap((version) => [
            parse(`a: ${line}\nb: 1\n`, { version }).a,
            parse(`- ${line} # c\n`, { version })[0],
            parse(`[x, ${line}, { y: ${line} }]`, { version })[1],
            parse(`{ a: ${line} }`, { version }).a,
          ])
          .every((read) => JSON.stringify(read) === expected);
      }),
      { numRuns: 500 },
    ),
  );
});

t.test('text is quoted only where it could be misread', async (t) => {
  t.equal(inline('198.51.100.0/24'), '198.51.100.0/24');
  t.equal(inline('page_view'), 'page_view');
  t.equal(inline('::1'), "'::1'");
  t.equal(inline("it's: so"), "'it''s: so'");
  t.equal(inline('yes'), "'yes'");
  t.equal(inline('2 lines\n'), '"2 lines\\n"');
  for (const unit of ['\u0085', '\u2028', '\u200b', '\u009f', '\ud800'])
    t.equal(
      inline(unit),
      `"\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}"`,
      'what prints nothing is written out',
    );
  t.equal(inline('\u00e4 \u4e2d'), "'\u00e4 \u4e2d'");
});

t.test('splices are made in order, and whole lines stay whole', async (t) => {
  const text = 'one\ntwo';
  t.equal(
    spliced(text, [
      { start: 4, end: 7, text: 'zwei' },
      { start: 0, end: 0, text: '> ' },
    ]),
    '> one\nzwei',
  );
  t.equal(
    spliced(text, [
      { start: 7, end: 7, text: '!' },
      { start: 4, end: 7, text: 'zwei' },
      { start: 4, end: 4, text: '> ' },
    ]),
    'one\n> zwei!',
    'one that is put where another ends stands behind it',
  );
  t.equal(spliced(text, [insertLines(text, 7, ['three'])]), 'one\ntwo\nthree\n');
  t.equal(spliced(text, [insertLines(text, lineEnd(text, 2), ['and'])]), 'one\nand\ntwo');
  t.equal(columnOf(text, 5), 1);
  t.equal(lineEnd(text, 4), 4);
});

t.test('the end of a line is found, also of the last one', async (t) => {
  t.equal(lineEnd('one\ntwo', 1), 4);
  t.equal(lineEnd('one\ntwo', 5), 7, 'without a line break');
  t.equal(lineEnd('one\ntwo\n', 8), 8, 'behind the last line break');
});

const mapOf = (text: string): YAMLMap => asMap(parseDocument(text).contents) as YAMLMap;
const replaced = (text: string, value: unknown): string =>
  spliced(text, replaceValue(text, pairOf(mapOf(text), 'a') as Pair, value));

t.test('a value in lines gives way to one on a line, and the comment beside its name stays', async (t) => {
  t.equal(replaced('a: # why\n  - x\nb: 1\n', ['z']), 'a: [z] # why\nb: 1\n');
  t.equal(replaced('a:\n  - x\n', ['z']), 'a: [z]\n');
  t.equal(replaced('a: x # why\n', 'z'), 'a: z # why\n');
  t.equal(replaced('a:\n', 'z'), 'a: z\n');
});

const changed = (text: string, items: readonly ListItem[]): string =>
  spliced(text, changeList(text, asList(pairOf(mapOf(text), 'l')?.value) as YAMLSeq, items));
const kept = (from: number): ListItem => ({ from, changes: () => [] });

t.test('an item takes the comments right above it along, and nothing else', async (t) => {
  const text = '# about the file\nl:\n  # about a\n  - a\n  # about b\n  - b # beside b\n';
  t.equal(changed(text, [kept(1)]), '# about the file\nl:\n  # about b\n  - b # beside b\n');
  t.equal(changed(text, [kept(0)]), '# about the file\nl:\n  # about a\n  - a\n');
  t.equal(
    changed(text, [kept(1), kept(0)]),
    '# about the file\nl:\n  # about b\n  - b # beside b\n  # about a\n  - a\n',
  );
});

t.test('a last item without a line break gets one where it does not stay the last', async (t) => {
  t.equal(changed('l:\n  - a\n  - b', [kept(1), kept(0)]), 'l:\n  - b\n  - a\n');
});

t.test('a new item with a single field has no braces, one with more has', async (t) => {
  const text = 'l:\n  - a\n';
  t.equal(changed(text, [kept(0), { value: { x: 1 } }]), 'l:\n  - a\n  - x: 1\n');
  t.equal(changed(text, [kept(0), { value: { x: 1, y: 2 } }]), 'l:\n  - a\n  - { x: 1, y: 2 }\n');
  t.equal(changed(text, [kept(0), { value: {} }]), 'l:\n  - a\n  - {  }\n');
  t.equal(changed(text, [kept(0), { value: 'z' }]), 'l:\n  - a\n  - z\n');
});

t.test('what YAML 1.1 takes for a boolean is quoted, each word of it', async (t) => {
  for (const word of ['y', 'n', 'yes', 'no', 'on', 'off', 'Y', 'No', 'ON', 'yES', 'nO', 'oN', 'oFf'])
    t.equal(inline(word), `'${word}'`);
  for (const word of ['yy', 'non', 'offs', 'by']) t.equal(inline(word), word);
});

t.test('lines take the place of a value, and one field or two go to the end of a mapping', async (t) => {
  const text = 'a: x # why\nb: 1\n';
  const pair = pairOf(mapOf(text), 'a') as Pair;
  t.equal(spliced(text, replaceByLines(text, pair, ['  - y', '  - z'])), 'a: # why\n  - y\n  - z\nb: 1\n');
  t.equal(spliced(text, addFields(text, mapOf(text), [])), text);
  t.equal(spliced(text, addFields(text, mapOf(text), [['c', 2]])), `${text}c: 2\n`);
  const two = [
    ['c', 2],
    ['d', 'e'],
  ] as const;
  t.equal(spliced(text, addFields(text, mapOf(text), two)), `${text}c: 2\nd: e\n`);
  t.equal(spliced('{ a: 1 }', addFields('{ a: 1 }', mapOf('{ a: 1 }'), two)), '{ a: 1, c: 2, d: e }');
});

const without = (text: string, name: string): string => {
  const map = mapOf(text);
  return spliced(text, removePair(text, map, pairOf(map, name) as Pair));
};

t.test('a pair goes with its comments, and its neighbours stay', async (t) => {
  const text = '# of a\na: 1 # beside a\n# of b\nb: 2\n# of c\nc:\n  - 3\nd: 4';
  t.equal(without(text, 'a'), '# of a\n# of b\nb: 2\n# of c\nc:\n  - 3\nd: 4', 'those above the first are of all');
  t.equal(without(text, 'b'), '# of a\na: 1 # beside a\n# of c\nc:\n  - 3\nd: 4');
  t.equal(without(text, 'c'), '# of a\na: 1 # beside a\n# of b\nb: 2\nd: 4');
  t.equal(without(text, 'd'), '# of a\na: 1 # beside a\n# of b\nb: 2\n# of c\nc:\n  - 3\n');
  t.equal(without('{ a: 1, b: 2, c: 3 }', 'a'), '{ b: 2, c: 3 }');
  t.equal(without('{ a: 1, b: 2, c: 3 }', 'b'), '{ a: 1, c: 3 }');
  t.equal(without('{ a: 1, b: 2, c: 3 }', 'c'), '{ a: 1, b: 2 }');
  t.equal(without('{ a: 1 }', 'a'), '{  }');
  t.equal(without('{ a, b: 2 }', 'b'), '{ a }');
});

t.test('the dash stays that a pair stands behind, with the end of its line', async (t) => {
  for (const eol of ['\n', '\r\n']) {
    const text = ['l:', '  - a: 1', '    b: 2', ''].join(eol);
    const map = asMap((asList(pairOf(mapOf(text), 'l')?.value) as YAMLSeq).items[0]) as YAMLMap;
    const left = spliced(text, removePair(text, map, pairOf(map, 'a') as Pair));
    t.equal(left, ['l:', '  - ', '    b: 2', ''].join(eol));
  }
  const last = 'l:\n  - a: 1';
  const map = asMap((asList(pairOf(mapOf(last), 'l')?.value) as YAMLSeq).items[0]) as YAMLMap;
  t.equal(spliced(last, removePair(last, map, pairOf(map, 'a') as Pair)), 'l:\n  - ');
});

t.test('fields are set where they stand, and added where they do not', async (t) => {
  const set = (text: string): string =>
    spliced(
      text,
      setFields(text, mapOf(text), [
        ['b', 9],
        ['z', 'new'],
      ]),
    );
  t.equal(set('a: 1\nb: 2 # two\nc: 3\n'), 'a: 1\nb: 9 # two\nc: 3\nz: new\n');
  t.equal(set('{ a: 1, b: 2 }'), '{ a: 1, b: 9, z: new }');
  t.equal(set('a: 1\r\nb: 2\r\n'), 'a: 1\r\nb: 9\r\nz: new\r\n', 'lines end as those of the file do');
  t.equal(set('b: 2'), 'b: 9\nz: new\n');
});

t.test('a value on a line of its own comes up to its name', async (t) => {
  t.equal(replaced('a:\n  [x]\nb: 1\n', 'z'), 'a: z\nb: 1\n');
  t.equal(replaced('a: # why\n  { x: 1 }\nb: 1\n', 'z'), 'a: z # why\nb: 1\n');
  t.equal(replaced('a:\r\n  - x\r\nb: 1\r\n', 'z'), 'a: z\r\nb: 1\r\n');
  t.equal(replaced('a: |\n  x\n  y\nb: 1\n', 'z'), 'a: z\nb: 1\n');
  t.equal(replaced('a:   x\n', 'z'), 'a:   z\n', 'what is on the line stays where it is');
  t.equal(replaced('{ a: , b: 1 }', 'z'), '{ a: z , b: 1 }'.replace('z , b', 'z, b'));
});

t.test('a list in brackets keeps what stands between its items, and changes in them', async (t) => {
  t.equal(changed('l: [a,  b, c]\n', [kept(0), kept(1)]), 'l: [a,  b]\n');
  t.equal(changed('l: [a,  b, c]\n', [kept(0), kept(2)]), 'l: [a, c]\n');
  t.equal(changed('l: [ a, b ]\n', [kept(1), { value: 'z' }]), 'l: [b, z ]\n');
  t.equal(changed('l: [ a, b ]\n', [{ value: 'x' }, kept(1)]), 'l: [x, b ]\n');
  const inner = (text: string) => (node: unknown) => {
    const map = asMap(node) as YAMLMap;
    return setFields(text, map, [['x', 2]]);
  };
  const flow = 'l: [{ x: 1 }, b]\n';
  t.equal(changed(flow, [{ from: 0, changes: inner(flow) }, kept(1)]), 'l: [{ x: 2 }, b]\n');
  const block = 'l:\n  - { x: 1 } # one\n  - b\n';
  t.equal(changed(block, [{ from: 0, changes: inner(block) }, kept(1)]), 'l:\n  - { x: 2 } # one\n  - b\n');
});
