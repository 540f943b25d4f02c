import * as fc from 'fast-check';
import t from 'tap';
import { namesTag } from '../../src/lib/entity-tag.ts';

const TAG = '"0123456789abcdef"';

t.test('the tag, alone or among others, and the marks that compressing proxies make', async (t) => {
  for (const condition of [
    TAG,
    ` ${TAG} `,
    '*',
    ' * ',
    `"other", ${TAG}`,
    `${TAG},"other"`,
    `W/${TAG}`,
    '"0123456789abcdef-gzip"',
    'W/"0123456789abcdef-br"',
    '"0123456789abcdef--gzip"',
    '"0123456789abcdef-zstd"',
    '"0123456789abcdef-deflate"',
    `W/"other", W/${TAG}`,
  ])
    t.equal(namesTag(condition, TAG), true, condition);
});

t.test('nothing else', async (t) => {
  for (const condition of [
    '',
    ',',
    '""',
    'W/',
    'W/""',
    '0123456789abcdef',
    `w/${TAG}`,
    `W/ ${TAG}`,
    `${TAG}x`,
    `x${TAG}`,
    '"0123456789abcde"',
    '"0123456789abcdef0"',
    '"0123456789ABCDEF"',
    '"0123456789abcdef-"',
    '"-gzip"',
    'W/*',
    '"0123456789abcdef-gzip-gzip"',
    '"0123456789abcdef-7zip"',
    '"gzip-0123456789abcdef"',
    "'0123456789abcdef'",
  ])
    t.equal(namesTag(condition, TAG), false, condition);
});

t.test('of two tags that differ none names the other, however it is marked', async (t) => {
  const hex = fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: 32, maxLength: 32 })
    .map((all) => all.map((digit) => digit.toString(16)).join(''));
  const marks = fc.tuple(fc.constantFrom('', 'W/'), fc.constantFrom('', '-gzip', '--gzip', '-br', '-zstd', '-deflate'));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        hex,
        hex,
        marks,
        (a, b, [weak, coding]) => namesTag(`${weak}"${a}${coding}"`, `"${b}"`) === (a === b),
      ),
    ),
  );
});

t.test('a tag is what stands between two quotes, even nothing', async (t) => {
  t.ok(namesTag('""', '""'));
  t.notOk(namesTag('"a"b"', '"a"b"'));
  t.notOk(namesTag('a', '"a"'));
  t.notOk(namesTag('', '""'));
});
