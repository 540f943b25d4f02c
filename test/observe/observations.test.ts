import t from 'tap';
import { DayCounts } from '../../src/observe/day-counts.ts';
import { DAY_MS, dayOf, Observations, packed } from '../../src/observe/observations.ts';
import { seenAt, WEB } from '../support/observed.ts';

const NOON = Date.UTC(2030, 0, 10, 12);
const TODAY = dayOf(NOON);

const pack = (observations: Observations): number => [...observations.freeze()].length;

t.test('a request counts on the day on which it came', (t) => {
  const observations = new Observations({ days: 30 });
  observations.count('key', 'web', seenAt(NOON));
  observations.count('key', 'web', seenAt(NOON - DAY_MS));
  observations.count('key', 'web', seenAt(NOON));
  t.same(
    [TODAY - 1, TODAY, TODAY + 1].map((day) => observations.read(WEB, day)?.requests),
    [1, 2, undefined],
  );
  t.end();
});

t.test('a day that is over is packed, and goes on counting what ends late', (t) => {
  const observations = new Observations({ days: 30 });
  for (let i = 0; i < 100; i++) observations.count('key', 'web', seenAt(NOON, { event: `event-${i}` }));
  t.equal(pack(observations), 0, 'today stays as it is');
  observations.count('key', 'web', seenAt(NOON + DAY_MS));
  const before = observations.bytes;
  t.equal(pack(observations), 1);
  t.ok(observations.bytes < before / 2, `${observations.bytes} of ${before}`);
  observations.countEvents('key', 'web', NOON, { passed: ['late'], removed: [] });
  t.equal(observations.read(WEB, TODAY)?.events.good.size, 101);
  t.equal(pack(observations), 1);
  t.equal(observations.read(WEB, TODAY)?.events.good.size, 101);
  t.end();
});

t.test('days end when they are too old, and what comes from before them is missed', (t) => {
  const observations = new Observations({ days: 2 });
  observations.count('key', 'web', seenAt(NOON));
  observations.count('key', 'web', seenAt(NOON + 2 * DAY_MS));
  t.equal(observations.read(WEB, TODAY), null);
  observations.count('key', 'web', seenAt(NOON));
  t.equal(observations.read(WEB, TODAY), null);
  t.same([...observations.missed()], [{ subject: WEB, missed: 1 }]);
  t.end();
});

t.test('when there is no room the oldest day goes, whoever it belongs to', (t) => {
  const observations = new Observations({ days: 30, maxBytes: 40_000 });
  observations.count('key', 'old', seenAt(NOON - 2 * DAY_MS));
  observations.count('key', 'web', seenAt(NOON - DAY_MS));
  for (let i = 0; i < 60; i++) observations.count('key', 'web', seenAt(NOON, { event: `event-${i}` }));
  t.ok(observations.read({ kind: 'key', name: 'old' }, TODAY - 2), 'there is room still');
  for (let i = 60; i < 110; i++) observations.count('key', 'web', seenAt(NOON, { event: `event-${i}` }));
  t.equal(observations.read({ kind: 'key', name: 'old' }, TODAY - 2), null);
  t.ok(observations.read(WEB, TODAY - 1));
  t.ok(observations.bytes <= 40_000);
  t.end();
});

t.test('with today alone, what is new is not kept and what is known goes on', (t) => {
  const observations = new Observations({ days: 30, maxBytes: 20_000 });
  for (let i = 0; i < 200; i++) observations.count('key', 'web', seenAt(NOON, { event: `event-${i}` }));
  t.ok(observations.bytes <= 20_000);
  const kept = observations.read(WEB, TODAY)?.events.good.size ?? 0;
  t.ok(kept > 10 && kept < 200);
  observations.count('key', 'web', seenAt(NOON, { event: 'event-0' }));
  t.equal(observations.read(WEB, TODAY)?.events.good.get('event-0')?.good, 2);
  observations.count('key', 'another', seenAt(NOON));
  t.same(observations.read({ kind: 'key', name: 'another' }, TODAY), null);
  t.same(
    [...observations.missed()].map(({ missed }) => missed),
    [200 - kept, 1],
  );
  t.end();
});

t.test('what is taken out is gone, with its room', (t) => {
  const observations = new Observations({ days: 30 });
  observations.count('key', 'web', seenAt(NOON));
  t.equal(observations.take(WEB, TODAY)?.requests, 1);
  t.equal(observations.bytes, 0);
  t.equal(observations.take(WEB, TODAY), null);
  observations.count('key', 'web', seenAt(NOON));
  t.equal(observations.read(WEB, TODAY)?.requests, 1, 'and is counted anew');
  t.end();
});

t.test('what an earlier process counted is kept where nothing is', (t) => {
  const observations = new Observations({ days: 30 });
  const earlier = new DayCounts(() => true);
  earlier.count(seenAt(NOON, { event: 'early' }));
  observations.restore(WEB, TODAY, packed(earlier));
  const { bytes } = observations;
  const [text] = [...observations.entries()].map(({ kept }) => kept);
  t.equal(bytes, (text as Buffer).length + 256, 'a day as text costs its bytes and some more');
  const other = new DayCounts(() => true);
  for (let i = 0; i < 3; i++) other.count(seenAt(NOON, { event: 'other' }));
  observations.restore(WEB, TODAY, packed(other));
  t.same([observations.read(WEB, TODAY)?.requests, observations.bytes], [1, bytes], 'and not where something is');
  observations.count('key', 'web', seenAt(NOON));
  t.equal(observations.read(WEB, TODAY)?.requests, 2);
  observations.restore(WEB, TODAY - 30, packed(earlier));
  t.equal(observations.read(WEB, TODAY - 30), null, 'too old');
  t.end();
});

t.test('what is restored or added tells which day is the newest, and ends those that are too old', (t) => {
  const observations = new Observations({ days: 2 });
  const counts = new DayCounts(() => true);
  counts.count(seenAt(NOON));
  observations.restore(WEB, TODAY, packed(counts));
  observations.restore(WEB, TODAY + 1, packed(counts));
  t.ok(observations.read(WEB, TODAY));
  observations.restore(WEB, TODAY + 2, packed(counts));
  t.equal(observations.read(WEB, TODAY), null);
  t.ok(observations.read(WEB, TODAY + 1));
  observations.add(WEB, TODAY + 3, counts);
  t.equal(observations.read(WEB, TODAY + 1), null);
  t.equal(observations.read(WEB, TODAY + 3)?.requests, 1);
  t.end();
});

t.test(
  'what finds no room is missed: requests one by one, what was counted elsewhere by how often it was good',
  (t) => {
    const observations = new Observations({ days: 2, maxBytes: 4096 });
    const counts = new DayCounts(() => true);
    for (let i = 0; i < 5; i++) counts.count(seenAt(NOON));
    observations.restore(WEB, TODAY, packed(counts));
    t.ok(observations.read(WEB, TODAY), 'as text it has room');
    observations.add({ kind: 'api', name: 'orders' }, TODAY, counts);
    observations.countEvents('key', 'app', NOON, { passed: ['a'], removed: [] });
    observations.miss({ kind: 'key', name: 'app' }, 3);
    t.same(
      [...observations.missed()],
      [
        { subject: WEB, missed: 0 },
        { subject: { kind: 'key', name: 'app' }, missed: 4 },
        { subject: { kind: 'api', name: 'orders' }, missed: 5 },
      ],
    );
    t.end();
  },
);

t.test('whatever is counted has to be written, and reading is not counting', (t) => {
  const observations = new Observations({ days: 2 });
  const acts = [
    () => observations.count('key', 'web', seenAt(NOON)),
    () => observations.countEvents('key', 'web', NOON, { passed: ['a'], removed: [] }),
    () => observations.countObstacle('key', 'web', NOON, 'forms'),
    () => observations.add(WEB, TODAY, new DayCounts(() => true)),
  ];
  for (const act of acts) {
    observations.dirty = false;
    act();
    t.ok(observations.dirty);
  }
  observations.dirty = false;
  observations.read(WEB, TODAY);
  t.notOk(observations.dirty);
  t.end();
});

t.test('a day that finds no room any more when it is unpacked leaves nothing behind', (t) => {
  const observations = new Observations({ days: 2, maxBytes: 5000 });
  const counts = new DayCounts(() => true);
  for (let i = 0; i < 5; i++) counts.count(seenAt(NOON, { event: `event-${i}` }));
  observations.restore(WEB, TODAY, packed(counts));
  observations.count('key', 'web', seenAt(NOON));
  t.equal(observations.read(WEB, TODAY), null);
  observations.restore({ kind: 'key', name: 'app' }, TODAY + 2, packed(new DayCounts(() => true)));
  observations.take({ kind: 'key', name: 'app' }, TODAY + 2);
  t.equal(observations.bytes, 0);
  t.end();
});

t.test('a day goes with what all callers did on it', (t) => {
  const observations = new Observations({ days: 2 });
  const callers = [WEB, { kind: 'key', name: 'app' }, { kind: 'api', name: 'web' }] as const;
  for (const { kind, name } of callers) observations.count(kind, name, seenAt(NOON));
  t.equal([...observations.entries()].length, 3);
  observations.count('key', 'web', seenAt(NOON + 2 * DAY_MS));
  t.same(
    [...observations.entries()].map(({ subject, day }) => [subject, day]),
    [[WEB, TODAY + 2]],
  );
  observations.take(WEB, TODAY + 2);
  t.equal(observations.bytes, 0);
  t.end();
});
