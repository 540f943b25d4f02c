import t from 'tap';
import { compileMember } from '../../src/event-filter/member.ts';
import { newWalk, type Walk, walkObject } from '../../src/event-filter/object.ts';
import { INVALID, skipValue } from '../../src/event-filter/scan.ts';

const newNameWalk = (): Walk =>
  newWalk({ member: compileMember('name'), depth: 1, skipFound: (bytes, start) => skipValue(bytes, start, 1) });

void t.test('finds the one member at this level', async (t) => {
  const walk = newNameWalk();
  const find = (text: string): string => {
    const bytes = Buffer.from(text);
    t.equal(walkObject(bytes, 0, walk), bytes.length, text);
    return bytes.toString('utf8', walk.valueStart, walk.valueEnd);
  };
  t.equal(find('{"name":"a"}'), '"a"');
  t.equal(find('{ "x" : { "name" : 1 } , "name" : [ "b" ] , "y":2 }'), '[ "b" ]');
  t.equal(find('{"":"\\"name\\":","n\\u0061me":-1e3}'), '-1e3');
  t.match(walk, { exact: 1, variants: 0, prototype: false });
});

void t.test('counts what makes it ambiguous, anew for each object', async (t) => {
  const walk = newNameWalk();
  const count = (text: string): readonly [number, number, boolean] => {
    walkObject(Buffer.from(text), 0, walk);
    return [walk.exact, walk.variants, walk.prototype];
  };
  t.strictSame(count('{"name":1,"Name":2,"n\\u0061me":3,"NAME":4,"__proto__":{}}'), [2, 2, true]);
  t.strictSame(count('{"x":1}'), [0, 0, false]);
  t.strictSame(count('{}'), [0, 0, false]);
});

void t.test('what is no object is INVALID', async (t) => {
  for (const text of [
    '{',
    '{ ',
    '{,}',
    '{"name"',
    '{"name":',
    '{"name":1',
    '{"name":1,',
    '{"name":1,}',
    '{"name":1]',
    '{"na',
    '{"n\\',
    '{"n\\"',
    '{1:1}',
  ])
    t.equal(walkObject(Buffer.from(text), 0, newNameWalk()), INVALID, text);
});
