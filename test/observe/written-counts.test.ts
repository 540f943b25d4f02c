import fc from 'fast-check';
import t from 'tap';
import { DayCounts } from '../../src/observe/day-counts.ts';
import { readCounts, writeCounts } from '../../src/observe/written-counts.ts';
import { seenAt } from '../support/observed.ts';

const anyRoom = (): boolean => true;
const throughText = (counts: DayCounts): DayCounts | null =>
  readCounts(JSON.parse(JSON.stringify(writeCounts(counts))), anyRoom);

function someCounts(): DayCounts {
  const counts = new DayCounts(anyRoom);
  counts.count(seenAt(1000, { event: 'login', origin: 'https://a.example', obstacle: 'forms' }));
  counts.count(seenAt(2000, { good: false, reason: 'backend_500', address: '2001:db8::1' }));
  counts.count(seenAt(3000, { route: '' }));
  return counts;
}

t.test('what was written is read as it was', (t) => {
  const read = throughText(someCounts());
  t.same(read && writeCounts(read), writeCounts(someCounts()));
  t.same(read?.addresses.others.size, 1, 'of those whose requests all failed as well');
  t.same(writeCounts(someCounts()).addresses.length, 2);
  const joined = someCounts();
  joined.joinAddresses();
  t.same(throughText(joined)?.joined, true);
  t.end();
});

t.test('any name comes back as it was, and is never more than a name', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('__proto__', 'constructor')), {
          maxLength: 20,
        }),
        (names) => {
          const counts = new DayCounts(anyRoom);
          for (const name of names) counts.count(seenAt(1, { event: name }));
          const read = throughText(counts);
          return [...(read?.events.good.keys() ?? [])].join('\n') === [...new Set(names)].join('\n');
        },
      ),
    ),
  );
  t.end();
});

t.test('one wrong part makes nothing of it readable', (t) => {
  const good = writeCounts(someCounts());
  const row: readonly (string | number)[] = ['login', 1, 1, 1000, 1000];
  const wrong: unknown[] = [
    null,
    7,
    [],
    {},
    { ...good, requests: -1 },
    { ...good, good: 1.5 },
    { ...good, lastSeen: '5' },
    { ...good, joined: 1 },
    { ...good, truncated: null },
    { ...good, truncated: { ...good.truncated, events: -1 } },
    { ...good, events: null },
    { ...good, events: [row.slice(0, 4)] },
    { ...good, events: [[...row, 1]] },
    { ...good, events: [[5, 1, 1, 1, 1]] },
    { ...good, events: [['a', 1, Number.MAX_VALUE, 1, 1]] },
    { ...good, events: [['a'.repeat(513), 1, 1, 1, 1]] },
    { ...good, events: Array.from({ length: 513 }, (_, i) => [`e${i}`, 1, 1, 1, 1]) },
    { ...good, addresses: [['10.0.0.0/8', 1, 1, 1, 1]] },
    { ...good, routes: [['GET /a', 1, 1, 1, 1]] },
    { ...good, refused: [['x']] },
    { ...good, obstacles: 'x' },
    { ...good, peaks: { ...good.peaks, perSecond: null } },
    { ...good, peaks: null },
    { ...good, peaks: { ...good.peaks, perMinute: -1 } },
    { ...good, peaks: { ...good.peaks, minutes: [[1]] } },
    { ...good, peaks: { ...good.peaks, minutes: [[1, 1, 1]] } },
    { ...good, peaks: { ...good.peaks, minutes: [{ 0: 1, 1: 1, length: 2 }] } },
    { ...good, peaks: { ...good.peaks, minutes: null } },
    { ...good, peaks: { ...good.peaks, seconds: [[-1, 1]] } },
    { ...good, peaks: { ...good.peaks, seconds: Array.from({ length: 257 }, (_, i) => [i, 1]) } },
    { ...good, peaks: { ...good.peaks, seconds: [[1, 'x']] } },
  ];
  t.ok(readCounts(good, anyRoom));
  for (const part of [
    'requests',
    'good',
    'firstSeen',
    'lastSeen',
    'joined',
    'addresses',
    'routes',
    'events',
    'origins',
  ])
    wrong.push({ ...good, [part]: undefined });
  for (const place of [1, 2, 3, 4]) wrong.push({ ...good, events: [row.with(place, -1)] });
  for (const [index, written] of wrong.entries()) t.equal(readCounts(written, anyRoom), null, `${index}`);
  t.end();
});

t.test('as much as can be written can be read', (t) => {
  const full = {
    ...writeCounts(someCounts()),
    events: Array.from({ length: 512 }, (_, i) => [`e${i}`.padEnd(512), 1, i % 2, 1, 1]),
  };
  full.peaks = { ...full.peaks, seconds: Array.from({ length: 256 }, (_, i) => [i, 1] as const) };
  const read = readCounts(full, anyRoom);
  t.same([read?.events.good.size, read?.events.others.size], [256, 256]);
  t.end();
});

t.test('a peak is never below what its seconds and minutes hold', (t) => {
  const good = writeCounts(someCounts());
  const peaks = { perSecond: 2, perMinute: 90, seconds: [[1, 5]], minutes: [[1, 7]] };
  const read = readCounts({ ...good, peaks }, anyRoom);
  t.same([read?.peaks.perSecond, read?.peaks.perMinute], [5, 90]);
  const lower = readCounts({ ...good, peaks: { ...peaks, perSecond: 50, perMinute: 3 } }, anyRoom);
  t.same([lower?.peaks.perSecond, lower?.peaks.perMinute], [50, 7]);
  t.end();
});
