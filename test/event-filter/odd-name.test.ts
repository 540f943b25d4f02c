import * as fc from 'fast-check';
import t from 'tap';
import { compileMember, type MemberMatch } from '../../src/event-filter/member.ts';
import { TO_ASCII } from '../../src/event-filter/odd-name.ts';
import { foldName, foldsTo } from '../../src/lib/name-folding.ts';

const WANTED = [
  'name',
  'distinct_id',
  'straße',
  'massiv',
  'a b',
  'é',
  'clé',
  '頁面',
  'ὀδός',
  'ᾴ',
  'i\u0307x',
  '😀',
  'a key',
];
const members = new Map(WANTED.map((name) => [name, compileMember(name)]));

/** How a name is judged by strings alone. */
function judgedByStrings(wanted: string, text: string): MemberMatch {
  if (text === wanted) return 'exact';
  if (text === '__proto__') return 'prototype';
  const folded = foldName(wanted);
  return foldsTo(text, folded) || foldsTo(text.split('\0', 1)[0] as string, folded) ? 'variant' : 'none';
}

function judged(wanted: string, token: string): MemberMatch {
  const bytes = Buffer.from(`{"${token}":1}`);
  return (members.get(wanted) as ReturnType<typeof compileMember>).matchOdd(bytes, 2, bytes.length - 4);
}

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

const token = (text: string, escapes: number): string =>
  text
    .split('')
    .map((unit, i) =>
      // Half of a pair has no bytes of its own.
      /[\ud800-\udfff]/.test(unit) || (escapes >> (i % 30)) & 1 ? escaped(unit) : JSON.stringify(unit).slice(1, -1),
    )
    .join('');

const inserted = fc.constantFrom(
  '',
  '',
  '',
  '\0',
  '\u00ad',
  '\ud800',
  '\udc00',
  '\u0307',
  '\u0307\u0307',
  '\u0301',
  '\u0323',
  '\u0345',
  '\ufffd',
  ' ',
  '\u00a0',
  '\u2000',
  '\u3000',
  '\t',
  '\ufeff',
  'x',
  '\u{e0061}',
);
const respelled = (char: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    char,
    char,
    char,
    char.toUpperCase(),
    char.toLowerCase(),
    char.normalize('NFD'),
    char.normalize('NFC'),
    ...({ s: ['\u017f', 'ß'], k: ['\u212a'], i: ['\u0130', '\u0131', '\u0130\u0307', '\ufb01'] }[char] ?? []),
  );
/** What is nearly the wanted name. */
const nearly = (wanted: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.tuple(...Array.from(wanted, (char) => fc.tuple(inserted, respelled(char)))),
      inserted,
      inserted,
      fc.constantFrom('', '', '\0', '\0x', ' ', 'ss'),
    )
    .map(([chars, before, after, end]) => before + chars.flat().join('') + after + end);

void t.test('a name is judged as it is by strings', async (t) => {
  const text = fc
    .constantFrom(...WANTED)
    .chain((wanted) => fc.tuple(fc.constant(wanted), fc.oneof(nearly(wanted), fc.string({ unit: 'grapheme' }))));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(text, fc.nat(), ([wanted, name], escapes) => {
        return judged(wanted, token(name, escapes)) === judgedByStrings(wanted, name);
      }),
      { numRuns: 4_000 },
    ),
  );
});

void t.test('every character, alone and in a name, is judged as it is by strings', async (t) => {
  const wrong: string[] = [];
  const check = (wanted: string, name: string): void => {
    if (judged(wanted, token(name, 0)) !== judgedByStrings(wanted, name)) wrong.push(`${wanted} ${name}`);
  };
  for (let point = 0; point <= 0xffff; point++) {
    const char = String.fromCodePoint(point);
    check('name', `${char}nam${char}e`);
    const folded = foldName(char);
    if (folded !== char && /^[ -~]+$/.test(folded)) t.ok(point < 0x80 || TO_ASCII.has(point), point.toString(16));
  }
  for (const [point] of TO_ASCII)
    for (const name of ['sstit', 'ifflk'])
      for (let i = 0; i < name.length; i++) {
        const text = name.slice(0, i) + String.fromCodePoint(point) + name.slice(i + 1);
        check('name', text);
      }
  const beside = ['@', '`', '[', '{'];
  for (const wanted of beside)
    for (const name of beside) {
      const bytes = Buffer.from(`{"x${name}\\u00ad":1}`);
      const match = compileMember(`x${wanted}`).matchOdd(bytes, 2, bytes.length - 4);
      if (match !== (wanted === name ? 'variant' : 'none')) wrong.push(`${wanted} ${name}`);
    }
  for (const letter of 'abcdefghijklmnopqrstuvwxyz')
    for (const [name, match] of [
      [letter.toUpperCase(), 'variant'],
      [letter === 'z' ? 'y' : 'z', 'none'],
    ] as const) {
      const bytes = Buffer.from(`{"x${name}\\u00ad":1}`);
      if (compileMember(`x${letter}`).matchOdd(bytes, 2, bytes.length - 4) !== match) wrong.push(`${letter} ${name}`);
    }
  t.strictSame(wrong, []);
});

void t.test('a dot above goes with an i before it, and with nothing else', async (t) => {
  const wrong: string[] = [];
  for (const wanted of ['name', 'massiv', 'a key'])
    for (const [point] of TO_ASCII)
      for (let i = 0; i < wanted.length; i++) {
        const name = `${wanted.slice(0, i)}${String.fromCodePoint(point)}\u0307${wanted.slice(i + 1)}`;
        if (judged(wanted, token(name, 0)) !== judgedByStrings(wanted, name)) wrong.push(`${wanted} ${name}`);
      }
  t.strictSame(wrong, []);
});

void t.test('a body with very many names of the right characters in another order', async (t) => {
  const member = compileMember('clé');
  const judge = (token: string): MemberMatch => {
    const bytes = Buffer.from(`"${token}"`);
    return member.matchOdd(bytes, 1, bytes.length - 1);
  };
  const other = '\u0301ecl';
  t.equal(judge(other), 'none');
  for (let i = 0; i < 5_000; i++) judge(other);
  t.equal(judge(other), 'variant', 'none of them is folded any more');
  t.equal(judge('cl'), 'none', 'which concerns no other name');
  member.newBody();
  t.equal(judge(other), 'none');
});

void t.test('white space and what shows nothing count as they do by strings, wherever they stand', async (t) => {
  const odd = ['', ' ', '\t', '\n', '\u00a0', '\u2000', '\u3000', '  ', ' \t', '\t ', '\u00ad', '\u0307', '\u0301'];
  const wanted = ['a b', 'a  b', 'é b', 'ė', 'x\u0307é', 'xy\u00ad\u00e9', 'ab i', 'i b', 'iè b'];
  const wrong: string[] = [];
  let variants = 0;
  for (const name of wanted) {
    const member = compileMember(name);
    const parts = name.split(' ');
    for (const one of odd)
      for (const other of odd)
        for (const text of [parts.join(one), one + name + other, parts.join(one + other), name + one + other]) {
          const bytes = Buffer.from(`{"${token(text, 0)}":1}`);
          const found = member.matchOdd(bytes, 2, bytes.length - 4);
          if (found === 'variant') variants++;
          if (found !== judgedByStrings(name, text)) wrong.push(`${name}: ${JSON.stringify(text)}`);
        }
  }
  t.strictSame(wrong, []);
  t.ok(variants > 100, `${variants} of them are variants`);
});
