import t from 'tap';
import { DayCounts } from '../../src/observe/day-counts.ts';
import { DAY_MS, dayOf, Observations } from '../../src/observe/observations.ts';
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
  observations.restore(WEB, TODAY, earlier);
  observations.restore(WEB, TODAY, earlier);
  t.equal(observations.read(WEB, TODAY)?.requests, 1);
  observations.count('key', 'web', seenAt(NOON));
  t.equal(observations.read(WEB, TODAY)?.requests, 2);
  observations.restore(WEB, TODAY - 30, earlier);
  t.equal(observations.read(WEB, TODAY - 30), null, 'too old');
  t.end();
});
