/** The words for times on the overview, and whether refusals grow. */
import t from 'tap';
import {
  lengthText,
  momentText,
  spanText,
  stepsSinceStart,
  stretchText,
  trendOf,
  zoneName,
} from '../../src/admin/console/overview/times.ts';
import { minuteAfterStart, summaryOf, type Came } from '../support/summaries.ts';

void t.test('zones are named by their distance from UTC', async (t) => {
  t.same([0, -60, 180, -330, 210].map(zoneName), ['UTC', 'UTC+1', 'UTC-3', 'UTC+5:30', 'UTC-3:30']);
});

void t.test('lengths are as exact as they are useful', async (t) => {
  t.same([20_000, 60_000, 180_000, 7_200_000, 172_800_000].map(lengthText), [
    'less than a minute',
    '1 minute',
    '3 minutes',
    '2 hours',
    '2 days',
  ]);
});

void t.test('a moment of another day says which, and a span within a minute is one moment', async (t) => {
  const now = minuteAfterStart(0);
  const clock = momentText(minuteAfterStart(-3), now);
  t.match(clock, /^\d\d:\d\d$/);
  t.ok(
    momentText(minuteAfterStart(-3000), now).endsWith(
      `, ${momentText(minuteAfterStart(-3000), minuteAfterStart(-3000))}`,
    ),
  );
  t.equal(spanText(minuteAfterStart(-3), minuteAfterStart(-3), now), clock);
  t.match(spanText(minuteAfterStart(-3), minuteAfterStart(-1), now), /^\d\d:\d\d to \d\d:\d\d$/);
});

void t.test('nothing is said of an hour that the process has not lived', async (t) => {
  t.match(stretchText(summaryOf(1, [])), /^since the start at \d\d:\d\d$/);
  t.equal(stretchText(summaryOf(61, [])), 'in the last hour');
  t.match(stretchText(summaryOf(61, [], 360)), /^since the start/);
  t.equal(stretchText(summaryOf(361, [], 360)), 'in the last 6 hours');
});

void t.test('the chart of a young process has no hour of nothing, and of an old one the whole', async (t) => {
  t.equal(stepsSinceStart(summaryOf(2, [])).length, 15);
  t.equal(stepsSinceStart(summaryOf(20, [])).length, 21);
  t.equal(stepsSinceStart(summaryOf(20, [])).at(0)?.time, minuteAfterStart(0));
  t.equal(stepsSinceStart(summaryOf(90, [])).length, 60);
});

const each = (from: number, to: number, times: number): Came[] =>
  Array.from({ length: to - from }, (_, at) => ({ at: from + at, times }));
const directionAt = (now: number, came: readonly Came[]) => trendOf(summaryOf(now, came), 'enforce').direction;

void t.test('growing, steady and falling are told by whole minutes', async (t) => {
  t.equal(directionAt(20, []), 'none');
  t.equal(directionAt(20, each(0, 20, 4)), 'steady');
  t.equal(directionAt(20, [...each(0, 17, 4), ...each(17, 20, 10)]), 'growing');
  t.equal(directionAt(20, [...each(0, 17, 10), ...each(17, 20, 2)]), 'falling');
  t.equal(directionAt(20, each(17, 20, 1)), 'growing', 'where there was nothing before');
  t.equal(directionAt(20, [...each(0, 20, 4), { at: 20, times: 40 }]), 'growing', 'the running minute can only grow');
  t.equal(directionAt(1, each(0, 2, 9)), 'early');
  t.equal(directionAt(2, [...each(0, 1, 5), ...each(1, 2, 9)]), 'growing', 'two minutes are enough');
  t.equal(trendOf(summaryOf(20, each(0, 20, 4)), 'report').direction, 'none');
  const lateStart = {
    ...summaryOf(2, [...each(0, 1, 1), ...each(1, 3, 9)]),
    since: `${minuteAfterStart(0).slice(0, 17)}50Z`,
  };
  t.equal(trendOf(lateStart, 'enforce').direction, 'early', 'the minute in which the process began is no whole one');
  const nothingWhole = { ...lateStart, ...summaryOf(0, each(0, 1, 9)), since: lateStart.since };
  t.equal(trendOf(nothingWhole, 'enforce').direction, 'early');
  const onlyAtTheStart = { ...summaryOf(1, each(0, 1, 9)), since: lateStart.since };
  t.equal(trendOf(onlyAtTheStart, 'enforce').direction, 'early', 'not quiet a minute after that');
});
