import * as fc from 'fast-check';
import t from 'tap';
import { compileNames } from '../../src/event-filter/names.ts';

/** Whether the names match a string token. */
function matches(names: readonly string[], token: string): boolean {
  const bytes = Buffer.from(`  ${token} `);
  return compileNames(new Set(names))(bytes, 3, bytes.length - 2);
}

const escaped = (text: string): string =>
  `"${text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;

void t.test('names compare by exact code points after unescaping', async (t) => {
  const names = ['login', 'a"b\\', '頁面', 'e\u0301', '😀'];
  for (const token of [
    '"login"',
    '"l\\u006fgin"',
    '"a\\"b\\\\"',
    '"頁面"',
    '"\\u9801面"',
    '"e\u0301"',
    '"😀"',
    '"\\ud83d\\ude00"',
  ])
    t.equal(matches(names, token), true, token);
  for (const token of [
    '""',
    '"Login"',
    '"login "',
    '"login\\u0000"',
    '"logi"',
    '"login2"',
    '"é"',
    '"\\ude00\\ud83d"',
    '"a\\"b"',
  ])
    t.equal(matches(names, token), false, token);
});

void t.test('a character of each length is spelled out, the first and the last of it', async (t) => {
  for (const name of [
    '\0',
    '\x7f',
    '\x80',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  ])
    for (const text of [name, `a${name}b`]) {
      t.equal(matches([text], escaped(text)), true, escaped(text));
      t.equal(matches([text], escaped(`${text}c`)), false, escaped(text));
    }
});

void t.test('no names match nothing, and the empty name is a name', async (t) => {
  t.equal(matches([], '"x"'), false);
  t.equal(matches([], '""'), false);
  t.equal(matches([''], '""'), true);
});

void t.test('a name with an unpaired surrogate matches nothing', async (t) => {
  t.equal(matches(['\ud800', '\ufffd'], '"\\ud800"'), false);
  t.equal(matches(['\ud800'], '"\ufffd"'), false, 'nor what it would be encoded as');
});

void t.test('any list of names matches exactly its members', async (t) => {
  const name = fc.string({ unit: 'grapheme' });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 40 }), name, (names, other) => {
        for (const each of [...names, other])
          for (const token of [JSON.stringify(each), escaped(each)])
            if (matches(names, token) !== names.includes(each)) return false;
        return true;
      }),
    ),
  );
});
