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
  replaceByLines,
  replaceValue,
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
  for (const word of ['y', 'n', 'yes', 'no', 'on', 'off', 'Y', 'No', 'ON']) t.equal(inline(word), `'${word}'`);
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
