import t from 'tap';
import { foldName, foldsTo } from '../../src/lib/name-folding.ts';

void t.test('names that some library takes for the same fold to the same', async (t) => {
  for (const [a, b] of [
    ['name', 'NAME'],
    ['name', 'nAmE'],
    ['massive', 'ma\u017f\u017five'],
    ['key', '\u212aey'],
    ['title', 't\u0131tle'],
    ['TITLE', 't\u0130tle'],
    ['straße', 'STRASSE'],
    ['straße', 'STRA\u1e9eE'],
    ['σοφός', 'ΣΟΦΌΣ'],
    ['ﬁeld', 'FIELD'],
    ['é', 'e\u0301'],
    ['É', 'e\u0301'],
    ['\u00e5', '\u212b'],
    ['name', ' name\t'],
    ['name', 'na\u0000me'],
    ['name', 'na\ud800me'],
    ['name', 'name\ufffd'],
    ['name', '\ufeffname'],
    ['name', 'n\u200ba\u00adm\u2060e\u{e0061}'],
    ['name', 'name\ufe0f'],
  ] as const)
    t.equal(foldName(a), foldName(b), JSON.stringify([a, b]));
});

void t.test('what some library drops from a name hides nothing, each class of it', async (t) => {
  const dropped = [
    '\u0000',
    '\u0007',
    '\u001f',
    '\u007f',
    '\u009f',
    '\u00ad',
    '\u0600',
    '\u200b',
    '\u200d',
    '\u202e',
    '\u2060',
    '\ufeff',
    '\u{e0001}',
    '\ud800',
    '\udbff',
    '\udc00',
    '\udfff',
    '\u034f',
    '\u115f',
    '\u17b4',
    '\u180e',
    '\u3164',
    '\ufe00',
    '\ufe0f',
    '\uffa0',
    '\u{e0100}',
    '\ufffd',
  ];
  const noncharacters = Array.from({ length: 32 }, (_, i) => String.fromCodePoint(0xfdd0 + i));
  for (let plane = 0; plane <= 16; plane++)
    noncharacters.push(String.fromCodePoint(plane * 0x10000 + 0xfffe), String.fromCodePoint(plane * 0x10000 + 0xffff));
  t.equal(noncharacters.length, 66);
  for (const char of [...dropped, ...noncharacters])
    for (const name of [`na${char}me`, `${char}name`, `name${char}`, `n${char}${char}ame`])
      t.equal(foldsTo(name, 'name'), true, JSON.stringify(name));
});

void t.test('other names do not', async (t) => {
  for (const [a, b] of [
    ['name', 'names'],
    ['name', 'n ame'],
    ['name', 'nаme'],
    ['name', 'náme'],
    ['event_name', 'eventName'],
    ['event-name', 'event_name'],
    ['name', 'ｎａｍｅ'],
    ['o', '0'],
  ] as const)
    t.not(foldName(a), foldName(b), JSON.stringify([a, b]));
});

void t.test('every character folds like its other cases, alone and in a word', async (t) => {
  const wrong: string[] = [];
  for (let point = 0; point <= 0x10ffff; point++) {
    const char = String.fromCodePoint(point);
    for (const other of [char.toLowerCase(), char.toUpperCase()])
      if (other !== char && foldName(`a${char}a`) !== foldName(`a${other}a`)) wrong.push(point.toString(16));
  }
  t.strictSame(wrong, []);
});

void t.test('whatever ECMAScript folds together (CaseFolding.txt, simple) is folded together', async (t) => {
  const letters = 'abcdefghijklmnopqrstuvwxyzßåωμθ'.split('');
  const wrong: string[] = [];
  for (let point = 0; point <= 0x2ffff; point++) {
    const char = String.fromCodePoint(point);
    if (!/\p{Changes_When_Casemapped}/u.test(char)) continue;
    for (const letter of letters)
      if (new RegExp(letter, 'iu').test(char) && foldName(letter) !== foldName(char)) wrong.push(`${char} ${letter}`);
  }
  t.strictSame(wrong, []);
});

void t.test('a name that is too long to fold to another is told by its length', async (t) => {
  t.equal(foldsTo(`${'\0'.repeat(1_000)}NAME`, 'name'), true, 'what is dropped does not count');
  t.equal(foldsTo(`${' '.repeat(1_000)}NAME`, 'name'), true);
  t.equal(foldsTo('I\u0307I\u0307I\u0307I\u0307', 'iiii'), true);
  t.equal(foldsTo(`name${'\u0301\u0316'.repeat(500_000)}`, 'name'), false);
  let shrinkage = 0;
  for (let point = 0; point <= 0x10ffff; point++) {
    const folded = foldName(`a${String.fromCodePoint(point)}a`).length - 2;
    if (folded > 0) shrinkage = Math.max(shrinkage, String.fromCodePoint(point).length / folded);
  }
  t.equal(shrinkage, 2);
});

void t.test('a name folds to its own fold and to no other of the same length', async (t) => {
  for (const name of ['name', 'Name', ' NAME ', 'na\u00adme']) t.ok(foldsTo(name, 'name'), name);
  for (const name of ['', 'nam', 'mane', 'names', 'na me', 'n\u00e4me', 'name\u0301'])
    t.notOk(foldsTo(name, 'name'), name);
  t.notOk(foldsTo('name', 'Name'), 'the fold of nothing');
  t.notOk(foldsTo('n\u0301'.repeat(100_000), 'name'), 'nor is what is far too long');
});
