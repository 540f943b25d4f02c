import t from 'tap';
import { findOvergrowth, findOversize, MAX_ENTRIES, MAX_TEXT } from '../../src/admin/bounds.ts';

void t.test('what is as large as may be', async (t) => {
  for (const body of [
    undefined,
    null,
    1,
    'a'.repeat(MAX_TEXT),
    { list: Array.from({ length: MAX_ENTRIES }, () => ({ a: 'b' })) },
    { a: [{ b: [{ c: [{ d: [] }] }] }] },
    Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, null])),
    { ['a'.repeat(256)]: 1 },
  ])
    t.equal(findOversize(body), null);
});

void t.test('what is larger is told by its place, the first of it', async (t) => {
  t.same(findOversize({ a: 'x', path: 'a'.repeat(MAX_TEXT + 1), z: 'a'.repeat(MAX_TEXT + 1) }), {
    path: ['path'],
    message: 'must not be longer than 16384 characters',
  });
  t.strictSame(findOversize({ events: ['a', { b: 'a'.repeat(MAX_TEXT + 1) }] }), {
    path: ['events', 1, 'b'],
    message: 'must not be longer than 16384 characters',
  });
  t.same(findOversize({ events: Array.from({ length: MAX_ENTRIES + 1 }, () => 1) }), {
    path: ['events'],
    message: 'must not hold more than 10000 entries',
  });
  t.match(findOversize(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`f${i}`, 0]))), {
    path: [],
    message: /not hold more than 100 fields/,
  });
  t.match(findOversize({ b: 1, ['a'.repeat(257)]: 1 }), { path: [], message: /a name of more than 256/ });
});

void t.test('what has too much structure is not parsed', async (t) => {
  const find = (json: string): string | null => findOvergrowth(Buffer.from(json));
  t.equal(find(''), null);
  t.equal(find(JSON.stringify({ a: '[[[[[[[[[', '\\"{{{{{{{{{{{': [[[[[[[1]]]]]]] })), null);
  t.match(find('['.repeat(9)), /deeper than 8 levels/);
  t.match(find('{"a":'.repeat(9)), /deeper than 8 levels/);
  t.equal(find(JSON.stringify(','.repeat(60_000))), null);
  t.equal(find(`[${'1,'.repeat(40_000)}1]`), null);
  t.match(find(`[${'1,'.repeat(60_000)}1]`), /50000 values/);
  t.match(find(`[${'[],'.repeat(30_000)}1]`), /50000 values/);
  t.equal(find('"never closed'), null);
  t.equal(find('"never closed' + '['.repeat(9)), null);
  for (const [open = '', close = ''] of ['[]', '{}']) t.equal(find(open.repeat(8) + close.repeat(8)), null);
  t.equal(find(`[${'{},[],'.repeat(20)}1]`), null, 'what is closed counts no more');
  for (const text of ['"a"', '""', '"\\"["']) t.match(find(`[${text},${'['.repeat(8)}`), /deeper than 8/, text);
  t.equal(find(`[${'1,'.repeat(49_998)}1]`), null, '50,000 with the list itself');
  t.match(find(`[${'1,'.repeat(49_999)}1]`), /50000 values/);
});
