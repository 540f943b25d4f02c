/** Times of day, in the language of those who read them. */
import t from 'tap';
import { clock, dateAndClock, exactClock, inLocalTime } from '../../src/admin/console/ui/clock.ts';

void t.test('the first hour of a day is 00', (t) => {
  const firstMinute = new Date(2026, 10, 29, 0, 5, 7);
  t.equal(clock.format(firstMinute), '00:05');
  t.equal(exactClock.format(firstMinute), '00:05:07');
  t.match(dateAndClock.format(firstMinute), /\b00:05$/);
  const lastMinute = new Date(2026, 10, 29, 23, 59, 59);
  t.equal(clock.format(lastMinute), '23:59');
  t.end();
});

void t.test('instants within a sentence are told in the zone of whoever reads it', (t) => {
  const from = new Date(Date.UTC(2026, 10, 29, 11, 56, 33, 590));
  const to = new Date(Date.UTC(2026, 10, 29, 11, 59, 6));
  t.equal(
    inLocalTime(`From ${from.toISOString()} to 2026-11-29T11:59:06Z.`),
    `From ${dateAndClock.format(from)} to ${dateAndClock.format(to)}.`,
  );
  t.equal(inLocalTime('Only 3 were seen.'), 'Only 3 were seen.');
  t.end();
});
