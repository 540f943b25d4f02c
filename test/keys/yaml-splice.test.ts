import fc from 'fast-check';
import t from 'tap';
import { parse } from 'yaml';
import { columnOf, inline, insertLines, lineEnd, spliced } from '../../src/keys/yaml-splice.ts';

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
