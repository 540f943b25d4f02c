import t from 'tap';
import { addTo, BoundedTallies, costOf, countIn, MOST_VALUES, type Tally } from '../../src/observe/tallies.ts';

const anyRoom = (): boolean => true;

t.test('counts a thing, good or not, with its first and last time', (t) => {
  const tallies = new BoundedTallies(2);
  tallies.count('a', true, 10, anyRoom);
  tallies.count('a', false, 30, anyRoom);
  tallies.count('a', true, 20, anyRoom);
  t.same(tallies.good.get('a'), { requests: 3, good: 2, firstSeen: 10, lastSeen: 30 });
  t.end();
});

t.test('what was never good has a place of its own, and moves when it is', (t) => {
  const tallies = new BoundedTallies(1);
  t.ok(tallies.count('a', false, 10, anyRoom));
  t.ok(tallies.count('b', false, 11, anyRoom), 'finds no room, and is not missed');
  t.same([tallies.good.size, tallies.others.size], [0, 1]);
  t.ok(tallies.count('a', true, 12, anyRoom));
  t.same([...tallies.good], [['a', { requests: 2, good: 1, firstSeen: 10, lastSeen: 12 }]]);
  t.equal(tallies.others.size, 0);
  t.ok(tallies.count('c', false, 13, anyRoom));
  t.notOk(tallies.count('c', true, 14, anyRoom), 'there is no room for a second good one');
  t.same([...tallies.others.keys()], ['c'], 'and it stays what it was');
  t.end();
});

t.test('what is known stays when there is no room', (t) => {
  const tallies = new BoundedTallies(MOST_VALUES);
  for (let i = 0; i < MOST_VALUES; i++) t.ok(tallies.count(`v${i}`, true, i, anyRoom));
  t.ok(tallies.isFull);
  for (let i = 0; i < 5000; i++) tallies.count(`w${i}`, true, i, anyRoom);
  t.ok(tallies.count('v0', true, 9, anyRoom));
  t.equal(tallies.good.size, MOST_VALUES);
  t.end();
});

t.test('asks for room before it keeps something, and for no more than it costs', (t) => {
  const asked: number[] = [];
  const tallies = new BoundedTallies(4);
  const takeRoom = (bytes: number): boolean => (asked.push(bytes), asked.length < 2);
  t.ok(tallies.count('abc', true, 1, takeRoom));
  t.ok(tallies.count('abc', true, 2, takeRoom));
  t.notOk(tallies.count('de', true, 3, takeRoom));
  t.same(asked, [costOf('abc'), costOf('de')]);
  t.end();
});

t.test('a text that is too long is not kept', (t) => {
  const tallies = new BoundedTallies(4);
  t.ok(tallies.count('x'.repeat(512), true, 1, anyRoom));
  t.notOk(tallies.count('x'.repeat(513), true, 1, anyRoom));
  t.end();
});

t.test('adds what was counted elsewhere', (t) => {
  const tallies = new BoundedTallies(4);
  const other: Tally = { requests: 5, good: 2, firstSeen: 7, lastSeen: 8 };
  tallies.add('a', other, anyRoom);
  tallies.add('a', { requests: 1, good: 0, firstSeen: 3, lastSeen: 9 }, anyRoom);
  tallies.add('b', { requests: 1, good: 0, firstSeen: 3, lastSeen: 3 }, anyRoom);
  t.same(tallies.good.get('a'), { requests: 6, good: 2, firstSeen: 3, lastSeen: 9 });
  t.same([...tallies.others.keys()], ['b']);
  t.equal(other.requests, 5, 'which stays as it is');
  t.end();
});

t.test('names that are few by nature are bounded all the same', (t) => {
  const map = new Map<string, Tally>();
  countIn(map, 'r0', 5);
  addTo(map, 'r0', { requests: 2, good: 0, firstSeen: 1, lastSeen: 2 });
  t.same(map.get('r0'), { requests: 3, good: 0, firstSeen: 1, lastSeen: 5 });
  for (let i = 0; i < 1000; i++) countIn(map, `r${i}`, 6);
  t.equal(map.size, MOST_VALUES);
  t.end();
});
