import t from 'tap';
import { readFields } from '../../../src/upstream/wire/fields.ts';

const read = (text: string, start = 0): readonly string[] | string => {
  const fields: string[] = [];
  return readFields(text, start, fields) ?? fields;
};

void t.test('names and values come as they are, without the white space around values', async (t) => {
  t.strictSame(read('\r\n'), []);
  t.strictSame(read('skipped\r\nA: b\r\n\r\n', 9), ['A', 'b']);
  t.strictSame(read('A:b\r\na:\r\nX-Y_z: \t v \xe9\xff w\t \r\nA:  \r\n\r\n'), [
    'A',
    'b',
    'a',
    '',
    'X-Y_z',
    'v \xe9\xff w',
    'A',
    '',
  ]);
  t.strictSame(read("!#$%&'*+.^_`|~09AZaz-: :a: b:\r\n\r\n"), ["!#$%&'*+.^_`|~09AZaz-", ':a: b:']);
});

void t.test('a line with two readings has none', async (t) => {
  for (const name of ['', ' A', '\tA', 'A ', 'A\t', 'A B', 'A\0', 'A(', '"A"', 'A\xe9', 'A;', 'A\r', 'A\n'])
    t.equal(read(`${name}: b\r\n\r\n`), 'bad field name', JSON.stringify(name));
  t.equal(read('nothing\r\n\r\n'), 'bad field name');
  for (const value of ['a\0b', 'a\rb', 'a\nb', 'a\x7f', 'a\x01', '\x0bb', 'b\x0c', 'a\r\r', 'a\r\n\r'])
    t.type(read(`A: ${value}\r\n\r\n`), 'string', JSON.stringify(value));
  t.equal(read('A: b\r\n continued\r\n\r\n'), 'bad field name', 'a folded line');
  t.equal(read('A: b\n\r\n'), 'bad field value');
});

void t.test('a section ends with its empty line', async (t) => {
  t.equal(read('A: b\r\n'), 'no end of the field section');
  t.equal(read('A: b\r\n\n\n'), 'no end of the field section');
});

void t.test('a section has no more fields than could be of use', async (t) => {
  t.equal(read(`${'a:\r\n'.repeat(2_000)}\r\n`).length, 4_000);
  t.equal(read(`${'a:\r\n'.repeat(2_001)}\r\n`), 'more than 2000 fields');
});
