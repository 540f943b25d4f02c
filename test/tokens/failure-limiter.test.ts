import * as fc from 'fast-check';
import t from 'tap';
import { createFailureLimiter } from '../../src/tokens/failure-limiter.ts';

const NOW = 1_780_000_000_000;

t.test('ten failures within a minute, and the address waits until the minute is over', async (t) => {
  const limiter = createFailureLimiter();
  for (let n = 0; n < 10; n++) {
    t.equal(limiter.secondsToWait('192.0.2.1', NOW + n * 1000), 0);
    limiter.fail('192.0.2.1', NOW + n * 1000);
  }
  t.equal(limiter.secondsToWait('192.0.2.1', NOW + 9000), 51);
  t.equal(limiter.secondsToWait('192.0.2.1', NOW + 59_999), 1);
  t.equal(limiter.secondsToWait('192.0.2.1', NOW + 60_000), 0);
  t.equal(limiter.secondsToWait('192.0.2.2', NOW + 9000), 0, 'other addresses are not touched');
});

t.test('failures spread over more than a minute do not add up', async (t) => {
  const limiter = createFailureLimiter();
  for (let n = 0; n < 30; n++) limiter.fail('a', NOW + n * 6700);
  t.equal(limiter.secondsToWait('a', NOW + 29 * 6700), 0);
});

t.test('a clock that was set back locks nobody out for long', async (t) => {
  const limiter = createFailureLimiter();
  for (let n = 0; n < 10; n++) limiter.fail('a', NOW);
  t.equal(limiter.secondsToWait('a', NOW - 3_600_000), 0);
});

t.test('no minute, whenever it begins, sees more than ten guesses', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.nat(9000), { maxLength: 150, size: 'max' }), (pauses) => {
        const limiter = createFailureLimiter();
        const guesses: number[] = [];
        let now = NOW;
        for (const pause of pauses) {
          now += pause;
          if (limiter.secondsToWait('a', now) > 0) continue;
          guesses.push(now);
          limiter.fail('a', now);
        }
        return guesses.every((start) => guesses.filter((time) => time >= start && time < start + 60_000).length <= 10);
      }),
    ),
  );
});

t.test('addresses without number take bounded memory, and the latest are remembered', async (t) => {
  const limiter = createFailureLimiter();
  for (let n = 0; n < 10; n++) limiter.fail('first', NOW);
  for (let n = 0; n < 10_000; n++) limiter.fail(`address ${n}`, NOW);
  t.equal(limiter.secondsToWait('first', NOW), 0, 'forgotten for the newer ones');
  for (let n = 0; n < 10; n++) limiter.fail('last', NOW);
  t.ok(limiter.secondsToWait('last', NOW) > 0);
});
