import t from 'tap';
import { dateOf, daysFrom, inSlices, repeat, unboundedCounts } from '../../src/observe/store.ts';
import { seenAt } from '../support/observed.ts';
import { catchTimers, type CaughtTimer } from '../support/timers.ts';

t.test('days as they are written, and from the first to the last', async (t) => {
  t.same([dateOf(0), dateOf(20_786)], ['1970-01-01', '2026-11-29']);
  t.same([...daysFrom(3, 5)], [3, 4, 5]);
  t.same([...daysFrom(3, 3), ...daysFrom(3, 2)], [3]);
});

t.test('counts for reading have room for whatever was kept', async (t) => {
  const counts = unboundedCounts();
  for (let i = 0; i < 1000; i++) counts.count(seenAt(i, { address: `10.${i >> 8}.${i & 255}.1`, event: `e${i}` }));
  t.same([counts.addresses.good.size, counts.events.good.size, counts.joined], [1000, 1000, false]);
});

t.test('a long work gives way to others', async (t) => {
  let turns = 0;
  let done = false;
  const count = (): void => {
    turns++;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  const steps: number[] = [];
  await inSlices([1, 2, 3, 4], (step) => {
    steps.push(step);
    const end = performance.now() + 12;
    while (performance.now() < end);
  });
  done = true;
  t.same(steps, [1, 2, 3, 4]);
  t.ok(turns >= 3, `${turns}`);
});

t.test('each stretch of a long work has its own time', async (t) => {
  const { now } = performance;
  const { setImmediate } = globalThis;
  t.teardown(() => Object.assign(globalThis, { setImmediate }));
  t.teardown(() => Object.assign(performance, { now }));
  let clock = 0;
  let pauses = 0;
  Object.assign(performance, { now: () => clock });
  Object.assign(globalThis, { setImmediate: (run: () => void) => (pauses++, setImmediate(run)) });
  await inSlices(Array.from({ length: 35 }), () => void clock++);
  t.equal(pauses, 3, 'ten milliseconds each');
});

t.test('what is repeated never runs twice at once, and no more once it is stopped', async (t) => {
  const ends: (() => void)[] = [];
  const run = () => new Promise<void>((resolve) => void ends.push(resolve));
  let repeated: ReturnType<typeof repeat> | undefined;
  const caughtIn = async (act: () => void): Promise<readonly CaughtTimer[]> => {
    const { setTimeout } = globalThis;
    const caught: CaughtTimer[] = [];
    const make = (run: () => void, ms: number) => {
      caught.push({ run, ms });
      return setTimeout(() => undefined, 2 ** 30).unref();
    };
    Object.assign(globalThis, { setTimeout: make });
    act();
    await new Promise(setImmediate);
    Object.assign(globalThis, { setTimeout });
    return caught;
  };
  const [first, ...others] = catchTimers(() => (repeated = repeat(5000, run)));
  t.same([first?.ms, others.length, ends.length], [5000, 0, 0]);
  t.equal((await caughtIn(() => first?.run())).length, 0, 'while it runs nothing is planned');
  const [second] = await caughtIn(() => ends[0]?.());
  t.equal(second?.ms, 5000);
  second?.run();
  t.equal(ends.length, 2);
  const { clearTimeout } = globalThis;
  let cleared = 0;
  Object.assign(globalThis, { clearTimeout: (timer: NodeJS.Timeout) => (cleared++, clearTimeout(timer)) });
  repeated?.stop();
  Object.assign(globalThis, { clearTimeout });
  t.equal(cleared, 1, 'what is planned is not run any more');
  t.equal((await caughtIn(() => ends[1]?.())).length, 0, 'stopped while it ran');
});
