import t from 'tap';
import { Peaks } from '../../src/observe/peaks.ts';

t.test('the highest number in one second and in one minute, by arrival', (t) => {
  const peaks = new Peaks();
  t.same([peaks.perSecond, peaks.perMinute], [0, 0]);
  for (const at of [60_000, 60_999, 61_000, 119_999, 120_000]) peaks.count(at);
  t.same([peaks.perSecond, peaks.perMinute], [2, 4]);
  peaks.count(61_500);
  t.same([peaks.perSecond, peaks.perMinute], [2, 5], 'one that ended later counts where it came');
  t.end();
});

t.test('only the latest seconds and minutes are kept', (t) => {
  const peaks = new Peaks();
  for (let i = 0; i < 1000; i++) peaks.count(i * 1000);
  t.same([peaks.seconds.size, peaks.minutes.size], [128, 8]);
  t.same([peaks.perSecond, peaks.perMinute], [1, 60]);
  t.end();
});

t.test('joined with those of another process, the peak is that of both together', (t) => {
  const one = new Peaks();
  const two = new Peaks();
  for (let i = 0; i < 3; i++) one.count(5000);
  for (let i = 0; i < 4; i++) two.count(5500);
  two.count(65_000);
  one.add(two);
  t.same([one.perSecond, one.perMinute], [7, 7]);
  const old = new Peaks();
  old.perMinute = 50;
  one.add(old);
  t.same([one.perSecond, one.perMinute], [7, 50], 'a peak whose seconds are gone still counts');
  t.end();
});
