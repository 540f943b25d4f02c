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
  const row = ['login', 1, 1, 1000, 1000] as const;
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
    { ...good, peaks: { ...good.peaks, minutes: [[1]] } },
    { ...good, peaks: { ...good.peaks, seconds: [[1, 'x']] } },
  ];
  t.ok(readCounts(good, anyRoom));
  for (const [index, written] of wrong.entries()) t.equal(readCounts(written, anyRoom), null, `${index}`);
  t.end();
});
