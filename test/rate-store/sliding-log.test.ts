import fc from 'fast-check';
import t from 'tap';
import { SlidingLog } from '../../src/rate-store/sliding-log.ts';

const START = 1_800_000_000_000;

t.test('no window of any length or begin holds more than the limit', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 3000, size: 'max' }),
        (requests, windowSeconds, gaps) => {
          const log = new SlidingLog();
          const limit = { requests, windowSeconds };
          const admitted: number[] = [];
          let now = START;
          for (const gap of gaps) {
            now += gap;
            if (!log.verdict(limit, now).allowed) continue;
            log.record(limit, now);
            admitted.push(now);
          }
          return admitted.every((time, i) => {
            const earlier = admitted[i - requests];
            return earlier === undefined || time - earlier >= windowSeconds * 1000;
          });
        },
      ),
      { numRuns: 200 },
    ),
  );
  t.end();
});

t.test('a limit above a thousand lets no window hold more, however the requests come in bursts', (t) => {
  const burst = fc.record({ gap: fc.integer({ min: 0, max: 70_000 }), count: fc.integer({ min: 1, max: 3000 }) });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1001, max: 5000 }),
        fc.integer({ min: 1, max: 120 }),
        fc.array(burst, { minLength: 2, maxLength: 12, size: 'max' }),
        (requests, windowSeconds, bursts) => {
          const log = new SlidingLog();
          const limit = { requests, windowSeconds };
          const admitted: number[] = [];
          let now = START;
          for (const { gap, count } of bursts) {
            now += gap;
            for (let n = 0; n < count && log.verdict(limit, now).allowed; n++) {
              log.record(limit, now);
              admitted.push(now);
            }
          }
          return admitted.every((time, i) => time - (admitted[i - requests] ?? -Infinity) >= windowSeconds * 1000);
        },
      ),
      { numRuns: 100 },
    ),
  );
  t.end();
});

t.test('what was admitted late in a slot of a large limit stays until its own minute is over', (t) => {
  const log = new SlidingLog();
  const limit = { requests: 2000, windowSeconds: 60 };
  const late = START + 59;
  for (let n = 0; n < 2000; n++) log.record(limit, late);
  t.same(log.verdict(limit, late), { allowed: false, retryAfterSeconds: 61 });
  t.equal(log.verdict(limit, START + 60_000).allowed, false);
  t.equal(log.verdict(limit, late + 59_999).allowed, false);
  t.equal(log.verdict(limit, START + 60 + 60_000).allowed, true);
  t.end();
});

t.test('the log of a busy key does not grow', (t) => {
  const log = new SlidingLog();
  const small = { requests: 10, windowSeconds: 1 };
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 3_000_000; n++) {
    const now = START + n * 100;
    if (log.verdict(small, now).allowed) log.record(small, now);
  }
  t.ok(process.memoryUsage().heapUsed - before < 24_000_000, 'three million admissions are not kept');
  t.end();
});

t.test('a limit of up to a thousand is exact: each request is admitted the moment it fits', (t) => {
  const log = new SlidingLog();
  const limit = { requests: 2, windowSeconds: 1 };
  log.record(limit, START);
  log.record(limit, START + 300);
  t.notOk(log.verdict(limit, START + 999).allowed);
  t.ok(log.verdict(limit, START + 1000).allowed);
  log.record(limit, START + 1000);
  t.notOk(log.verdict(limit, START + 1299).allowed);
  t.ok(log.verdict(limit, START + 1300).allowed);
  t.end();
});

t.test('Retry-After names the moment at which the request fits', (t) => {
  const log = new SlidingLog();
  const limit = { requests: 3, windowSeconds: 60 };
  for (const second of [0, 10, 20]) log.record(limit, START + second * 1000);
  t.same(log.verdict(limit, START + 25_000), { allowed: false, retryAfterSeconds: 35 });
  t.same(log.verdict({ requests: 1, windowSeconds: 60 }, START + 25_000), { allowed: false, retryAfterSeconds: 55 });
  t.end();
});

t.test('a limit of zero admits nothing', (t) => {
  t.same(new SlidingLog().verdict({ requests: 0, windowSeconds: 7 }, START), { allowed: false, retryAfterSeconds: 7 });
  t.end();
});

t.test('a clock set back neither refills nor locks out for longer than one window', (t) => {
  const log = new SlidingLog();
  const limit = { requests: 2, windowSeconds: 10 };
  log.record(limit, START);
  log.record(limit, START);
  const before = START - 3_600_000;
  t.notOk(log.verdict(limit, before).allowed);
  t.notOk(log.verdict(limit, before + 9_999).allowed);
  t.ok(log.verdict(limit, before + 10_000).allowed);
  t.end();
});

t.test('requests counted slightly out of order keep the limit', (t) => {
  const log = new SlidingLog();
  const limit = { requests: 2, windowSeconds: 1 };
  log.record(limit, START + 5);
  log.record(limit, START);
  t.notOk(log.verdict(limit, START + 1004).allowed);
  t.ok(log.verdict(limit, START + 1005).allowed);
  t.end();
});

t.test('is idle when nothing in it could refuse', (t) => {
  const log = new SlidingLog();
  t.ok(log.isIdle(1000, START));
  log.record({ requests: 1, windowSeconds: 1 }, START);
  t.notOk(log.isIdle(1000, START + 999));
  t.ok(log.isIdle(1000, START + 1000));
  t.end();
});

t.test('a clock that is set back over an empty log leaves nothing behind that counts', async (t) => {
  const limit = { requests: 1, windowSeconds: 1 };
  const log = new SlidingLog();
  log.record(limit, START);
  t.equal(log.verdict(limit, START + 3_600_000).allowed, true, 'what was admitted has left the window');
  const before = START - 3_600_000;
  t.equal(log.verdict(limit, before).allowed, true, 'an hour before');
  log.record(limit, before);
  t.equal(log.verdict(limit, before + 500).allowed, false);
  t.equal(log.verdict(limit, before + 1500).allowed, true, 'and it leaves the window as ever');
});
