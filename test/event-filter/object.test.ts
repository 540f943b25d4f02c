import t from 'tap';
import { compileMember, type MatchName, type Member } from '../../src/event-filter/member.ts';
import { newBody, newWalk, NONE, type Walk, walkObject } from '../../src/event-filter/object.ts';
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

void t.test('tells of rivals, also of those that a copy of the object inherits', async (t) => {
  const walk = newWalk({
    member: compileMember('events'),
    depth: 1,
    skipFound: (bytes, start) => skipValue(bytes, start, 1),
    rivals: ['name', 'data'].map(compileMember),
  });
  const isRivalled = (text: string): boolean => {
    const bytes = Buffer.from(text);
    t.equal(walkObject(bytes, 0, walk), bytes.length, text);
    return walk.rival !== NONE;
  };
  for (const text of ['{"name":1}', '{"x":1,"Data":2}', '{"n\\u0061me":1}', '{"__proto__":{"x":1,"data":2}}'])
    t.equal(isRivalled(text), true, text);
  t.equal(isRivalled('{"__proto__":{"__proto__":{}}}'), true, 'nested prototypes hide something');
  for (const other of ['dx', 'ex', 'nx', 'x'])
    t.equal(isRivalled(`{"__proto__":{"data":2},"${other}":1}`), true, `and is not forgotten behind ${other}`);
  for (const text of [
    '{"events":[],"names":1}',
    '{"x":{"name":1}}',
    '{"__proto__":{"x":{"name":1}}}',
    '{"__proto__":"name"}',
  ])
    t.equal(isRivalled(text), false, text);
  const first = (text: string): number => {
    isRivalled(text);
    return walk.rival;
  };
  t.same([first('{"data":1,"name":2}'), first('{"NAME":1,"data":2}')], [1, 0], 'the first that stands there');
  t.equal(first('{"__proto__":{"name":1},"data":1,"name":2}'), 1, 'before any that is inherited');
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

void t.test('what a name costs does not grow with how often or how many members are looked for', async (t) => {
  let compared = 0;
  const counted = (name: string): Member => {
    const member = compileMember(name);
    const matchOdd: MatchName = (...place) => {
      compared++;
      return member.matchOdd(...place);
    };
    return { ...member, matchOdd };
  };
  const rivals = ['event', 'batch', 'event', 'Event', '_method', 'events'].map(counted);
  const walk = newWalk({
    member: counted('name'),
    depth: 1,
    skipFound: (bytes, at) => skipValue(bytes, at, 1),
    rivals,
  });
  const comparisons = (name: string): number => {
    compared = 0;
    const bytes = Buffer.from(`{"${name}":0}`);
    t.equal(walkObject(bytes, 0, walk), bytes.length);
    return compared;
  };
  t.equal(comparisons('\u00ad'.repeat(1000)), 0, 'nothing is visible');
  t.equal(comparisons('\u00adx'), 0, 'the first visible character is that of none');
  t.equal(comparisons('\u00adb'), 1);
  t.equal(comparisons('\u00adex'), 2, 'each of those that begin so, once');
  t.equal(comparisons('\u00ad__proto'), 5, 'any might be the prototype');
});

void t.test('each body may hold as many odd names as any other, wherever they stand', async (t) => {
  const names = ['clé', 'été'].map(compileMember);
  const walk = newWalk({
    member: compileMember('né'),
    depth: 1,
    skipFound: (bytes, start) => skipValue(bytes, start, 1),
    rivals: names,
  });
  const judge = (text: string) => {
    const bytes = Buffer.from(text);
    t.equal(walkObject(bytes, 0, walk), bytes.length);
    return [walk.exact, walk.variants, walk.rival !== NONE];
  };
  // The right characters in another order.
  const others = '"\u0301en":1,"\u0301ecl":2,"\u0301te\u0301e":3';
  const many = Array.from({ length: 5000 }, () => others).join();
  newBody(walk);
  t.same(judge(`{${others},"__proto__":{${others}}}`), [0, 0, false]);
  for (const body of [`{${many}}`, `{"__proto__":{${many}}}`]) {
    t.not(judge(body).slice(1).join(), '0,false', 'too many count as the name');
    newBody(walk);
    t.same(judge(`{${others},"__proto__":{${others}}}`), [0, 0, false], 'the next body begins anew');
  }
});
