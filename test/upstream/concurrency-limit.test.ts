import * as fc from 'fast-check';
import t from 'tap';
import { createConcurrencyLimit, type Waiter } from '../../src/upstream/concurrency-limit.ts';

const tick = () => new Promise<void>((resolve) => process.nextTick(resolve));

function waiter(name: string, log: string[]): Waiter {
  return { start: () => log.push(`start ${name}`), expire: () => log.push(`expire ${name}`) };
}

void t.test('requests go until the limit, then wait in order, then are turned away', async (t) => {
  const log: string[] = [];
  const limit = createConcurrencyLimit({ limit: 1, maxWaiting: 2, maxWaitMs: 60_000 });
  t.equal(limit.enter(waiter('a', log)), 'go');
  t.equal(limit.enter(waiter('b', log)), 'wait');
  t.equal(limit.enter(waiter('c', log)), 'wait');
  t.equal(limit.enter(waiter('d', log)), 'full');
  limit.leave();
  await tick();
  t.same(log, ['start b']);
  t.equal(limit.enter(waiter('e', log)), 'wait', 'the place of b is its own');
  limit.leave();
  limit.leave();
  await tick();
  t.same(log, ['start b', 'start c', 'start e']);
});

void t.test('who gives up is not started', async (t) => {
  const log: string[] = [];
  const limit = createConcurrencyLimit({ limit: 1, maxWaiting: 2, maxWaitMs: 60_000 });
  limit.enter(waiter('a', log));
  const b = waiter('b', log);
  limit.enter(b);
  limit.enter(waiter('c', log));
  limit.forget(b);
  limit.leave();
  await tick();
  t.same(log, ['start c']);
});

void t.test('who waits too long expires, in order, and is not started later', async (t) => {
  const log: string[] = [];
  const limit = createConcurrencyLimit({ limit: 1, maxWaiting: 3, maxWaitMs: 5 });
  limit.enter(waiter('a', log));
  limit.enter(waiter('b', log));
  await new Promise<void>((resolve) => {
    limit.enter({ start: () => log.push('start c'), expire: () => resolve(void log.push('expire c')) });
    // The limit's own timer holds no process open; a test must.
    const hold = setInterval(() => {}, 1_000);
    t.teardown(() => clearInterval(hold));
  });
  t.same(log, ['expire b', 'expire c']);
  limit.leave();
  await tick();
  t.same(log, ['expire b', 'expire c']);
  t.equal(limit.enter(waiter('d', log)), 'go');
});

void t.test('idle is told once nothing is under way or waiting', async (t) => {
  const log: string[] = [];
  const limit = createConcurrencyLimit({ limit: 1, maxWaiting: 1, maxWaitMs: 60_000 });
  limit.whenIdle(() => log.push('idle at once'));
  limit.enter(waiter('a', log));
  limit.enter(waiter('b', log));
  limit.whenIdle(() => log.push('idle'));
  limit.leave();
  await tick();
  t.same(log, ['idle at once', 'start b']);
  limit.leave();
  t.same(log, ['idle at once', 'start b', 'idle']);
});

/** Lets requests enter (true) and leave (false); throws when one is over the limit or forgotten. */
async function play(size: number, moves: readonly boolean[]): Promise<void> {
  const limit = createConcurrencyLimit({ limit: size, maxWaiting: 10_000, maxWaitMs: 60_000 });
  const count = { underWay: 0, entered: 0, left: 0 };
  const start = (): void => {
    count.underWay += 1;
    if (count.underWay > size) throw new Error('over the limit');
  };
  const leave = async (): Promise<void> => {
    count.underWay -= 1;
    count.left += 1;
    limit.leave();
    await tick();
  };
  for (const enters of moves) {
    if (enters) {
      count.entered += 1;
      if (limit.enter({ start, expire: () => {} }) === 'go') start();
    } else if (count.underWay > 0) await leave();
  }
  while (count.underWay > 0) await leave();
  if (count.left !== count.entered) throw new Error(`${count.entered} entered, ${count.left} left`);
}

void t.test('never more under way than the limit, and nobody is forgotten', async (t) => {
  await t.resolves(
    fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(fc.boolean(), { maxLength: 60 }), play)),
  );
});
