import * as fc from 'fast-check';
import t from 'tap';
import { decomposeWithoutMarks, foldPath, isPlainPath, readPath } from '../../src/lib/path-reading.ts';

/** Whether two paths in percent-encoded form could be the same to some backend. */
function samePath(a: string, b: string): boolean {
  const folded = new Set(readPath(a).map(foldPath));
  return readPath(b).some((reading) => folded.has(foldPath(reading)));
}

t.test('a plain path has one reading: itself', (t) => {
  for (const path of ['/', '/a', '/a/b.c/', "/a-_~!$&'()*+,=:@"]) {
    t.ok(isPlainPath(path), path);
    t.strictSame(readPath(path), [path]);
  }
  t.end();
});

// What some backend makes of the path on the left.
const READINGS: readonly (readonly [path: string, reading: string])[] = [
  ['/a%20b', '/a b'],
  ['/a%2Fb', '/a/b'],
  ['/a%2fb', '/a\0b'],
  ['/a%2fb%2Fc', '/a\0b\0c'],
  ['/a%2541', '/a%41'],
  ['/a%2541', '/aA'],
  ['/a;x=1/b', '/a;x=1/b'],
  ['/a;x=1/b', '/a/b'],
  ['/a%3Bx/b', '/a/b'],
  ['/a;x%2Fb', '/a'],
  ['/a;x%2Fb', '/a/b'],
  ['/a;x/b%3Bc', '/a/b;c'],
  ['/a//b', '/a//b'],
  ['/a//b', '/a/b'],
  ['/a/;x/b', '/a/b'],
  ['/a%3Fx/b', '/a'],
  ['/a%23x', '/a'],
  ['/a%3Fb%0Ac', '/a'],
  ['/a%3Fx', '/a?x'],
  ['/%C3%A9', '/é'],
  ['/a%FF', '/a%FF'],
];
for (const [path, reading] of READINGS)
  t.ok(readPath(path).includes(reading), `${path} may be ${JSON.stringify(reading)}`);

t.test('spellings that a lenient backend takes for one path are the same', (t) => {
  const same: readonly (readonly [string, string])[] = [
    ['/metrics', '/METRICS/'],
    ['/metrics', '/metric%C5%BF'],
    ['/k', '/%E2%84%AA'],
    ['/i', '/%C4%B0'],
    ['/i', '/%C4%B1'],
    ['/strasse', '/stra%C3%9Fe'],
    ['/strasse', '/STRA%E1%BA%9EE'],
    ['/cafe', '/CAF%C3%89'],
    ['/caf%C3%A9', '/cafe%CC%81'],
    ['/metrics', '/%EF%BD%8Detrics'],
    ['/metrics', '/met%E2%80%8Brics'],
    ['/metrics', '/met%C2%ADrics'],
    ['/file', '/%EF%AC%81le'],
    ['/%CE%BF%CF%82', '/%CE%9F%CE%A3'],
    ['/metrics', '/metr%2569cs'],
    ['/metrics/x', '/metrics%2Fx'],
    ['/metrics', '/metrics;a=b'],
    ['/metrics/x', '/metrics//x'],
    ['/', ''],
  ];
  for (const [a, b] of same) t.ok(samePath(a, b), `${a} and ${b}`);
  t.end();
});

t.test('other paths are not', (t) => {
  for (const [a, b] of [
    ['/metrics', '/metric'],
    ['/metrics/x', '/metrics'],
    ['/a/b', '/ab'],
    ['/a', '/%D0%B0'],
    ['/a', '/a%20'],
  ] as const)
    t.notOk(samePath(a, b), `${a} and ${b}`);
  t.end();
});

t.test('one trailing slash is ignored, and no more', (t) => {
  t.equal(foldPath('/A/'), '/a');
  t.equal(foldPath('/a//'), '/a/');
  t.equal(foldPath('/'), '');
  t.end();
});

t.test('no path has more readings than a few dozen, however long it is', (t) => {
  for (const unit of ['%2F', '%2541', ';', '//', '%3F', 'a%2f;b//%3F%25', '%2F;%3B//%2541%3F', 'x%2F%3Bb;c//%253B%3Fd'])
    t.ok(readPath(`/${unit.repeat(1000)}`).length <= 64, unit);
  t.end();
});

void t.test('marks are taken away in another order than they used to be, with the same result', async (t) => {
  const marks = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu;
  const asOne = (text: string): string => text.normalize('NFKD').replace(marks, '');
  const wrong: string[] = [];
  for (let point = 0; point <= 0x10ffff; point++) {
    const text = `a${String.fromCodePoint(point)}\u0301a`;
    if (decomposeWithoutMarks(text) !== asOne(text)) wrong.push(point.toString(16));
  }
  t.strictSame(wrong, []);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => decomposeWithoutMarks(text) === asOne(text)));
});
