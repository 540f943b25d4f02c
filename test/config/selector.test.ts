import t from 'tap';
import { firstMember, parseSelector } from '../../src/config/selector.ts';

const array = (member: string | null) => ({ member, holds: 'array' });

void t.test('reads where a body has its event names', async (t) => {
  t.strictSame(parseSelector('name'), { containers: [], way: [], member: 'name' });
  t.strictSame(parseSelector('events[].name'), { containers: [array('events')], way: [], member: 'name' });
  t.strictSame(parseSelector('[].event'), { containers: [array(null)], way: [], member: 'event' });
  t.strictSame(parseSelector('my events[].$event-name'), {
    containers: [array('my events')],
    way: [],
    member: '$event-name',
  });
  t.strictSame(parseSelector('straße[].イベント'), { containers: [array('straße')], way: [], member: 'イベント' });
  t.strictSame(parseSelector('constructor'), { containers: [], way: [], member: 'constructor' });
});

void t.test('up to three levels above the name', async (t) => {
  t.strictSame(parseSelector('payload.name'), { containers: [], way: ['payload'], member: 'name' });
  t.strictSame(parseSelector('a.b.c.d'), { containers: [], way: ['a', 'b', 'c'], member: 'd' });
  t.strictSame(parseSelector('a[].b.c.d'), { containers: [array('a')], way: ['b', 'c'], member: 'd' });
  t.strictSame(parseSelector('a.b[].c.d'), {
    containers: [{ member: 'a', holds: 'object' }, array('b')],
    way: ['c'],
    member: 'd',
  });
  t.strictSame(parseSelector('a[].b[].c[].d'), {
    containers: [array('a'), array('b'), array('c')],
    way: [],
    member: 'd',
  });
  t.strictSame(parseSelector('[].a.b[].c'), {
    containers: [array(null), { member: 'a', holds: 'object' }, array('b')],
    way: [],
    member: 'c',
  });
});

void t.test('tells what a body of it begins with', async (t) => {
  const first = (text: string) => {
    const selector = parseSelector(text);
    return selector === null ? undefined : firstMember(selector);
  };
  t.same(['name', 'payload.name', 'a[].b', 'a.b[].c', '[].b'].map(first), ['name', 'payload', 'a', 'a', null]);
});

void t.test('refuses what is no name, or no way to one', async (t) => {
  for (const text of [
    '',
    '[]',
    '[].',
    'events[]',
    'events[].',
    'events[]name',
    'events..name',
    '[][].name',
    'a[][].b',
    'a.[].b',
    '[].[].b',
    'a.b.c.d.e',
    'a[].b[].c[].d[].e',
    '[].a[].b[].c[].d',
    'events[0].name',
    'events[ ].name',
    '.name',
    'name.',
    ' name',
    'events[]. name',
    'events [].name',
    'na\u0000me',
    'na\u200bme',
    'na\ud800me',
    'na\ufffdme',
    'a\u0000.name',
  ])
    t.equal(parseSelector(text), null, JSON.stringify(text));
});
