import * as fc from 'fast-check';
import t from 'tap';
import {
  createConcurrencyLimit,
  type ConcurrencyLimit,
  type ConcurrencyLimitSettings,
  type Waiter,
} from '../../src/upstream/concurrency-limit.ts';
import { catchTimers } from '../support/timers.ts';

const tick = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** One holder has the whole limit, unless something else is said. */
function limitOf(limit: number, more: Partial<ConcurrencyLimitSettings> = {}): ConcurrencyLimit {
  return createConcurrencyLimit({ limit, perHolder: limit, waitingForEach: 2, maxWaitMs: 60_000, ...more });
}

function waiter(name: string, log: string[]): Waiter {
  return {
    start: () => log.push(`start ${name}`),
    expire: (ofShare) => log.push(`expire ${name}${ofShare ? ' of its share' : ''}`),
  };
}

void t.test('requests go until the limit, then wait in order, then are turned away', async (t) => {
  const log: string[] = [];
  const limit = limitOf(1);
  const enter = (name: string) => limit.enter(waiter(name, log), 'k');
  t.same(['a', 'b', 'c', 'd'].map(enter), ['go', 'wait', 'wait', 'share full']);
  limit.leave('k');
  await tick();
  t.same(log, ['start b']);
  t.equal(enter('e'), 'wait', 'the place of b is its own');
  limit.leave('k');
  limit.leave('k');
  await tick();
  t.same(log, ['start b', 'start c', 'start e']);
});

void t.test('however many holders come and go, one that is busy keeps to its share', async (t) => {
  const limit = limitOf(2, { perHolder: 1 });
  const enter = (holder: string) => limit.enter(waiter(holder, []), holder);
  t.equal(enter('busy'), 'go');
  for (let n = 0; n < 20_000; n++) {
    enter(`${n}`);
    limit.leave(`${n}`);
  }
  t.equal(enter('busy'), 'wait');
});

void t.test('one timer watches all who wait, and holds no process', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const limit = limitOf(1, { waitingForEach: 9 });
  const made = catchTimers(() => {
    for (let n = 0; n < 9; n++) limit.enter(waiter(String(n), []), 'k');
  });
  t.equal(made.length, 1);
  t.ok((made[0]?.ms ?? 0) > 1000, 'it looks again when the first has waited its time');
  const other = limitOf(1);
  for (let n = 0; n < 3; n++) other.enter(waiter(String(n), []), 'k');
  t.equal(timers(), before);
});

void t.test('what one holder has under way or in line keeps no other from going', async (t) => {
  const log: string[] = [];
  const limit = limitOf(4, { perHolder: 2 });
  const enter = (name: string) => limit.enter(waiter(name, log), name[0] as string);
  t.same(['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'].map(enter), [
    'go',
    'go',
    'wait',
    'wait',
    'wait',
    'wait',
    'share full',
  ]);
  t.same(['b1', 'b2', 'b3', 'c1'].map(enter), ['go', 'go', 'wait', 'wait']);
  limit.leave('b');
  await tick();
  t.same(log, ['start c1'], 'of whom nothing is under way, before a holder that has its share; b waits its turn');
  limit.leave('a');
  await tick();
  t.same(log.slice(1), ['start b3']);
});

void t.test('holders are served in turn, each in the order of its requests', async (t) => {
  const log: string[] = [];
  const limit = limitOf(2, { waitingForEach: 8 });
  const enter = (name: string) => limit.enter(waiter(name, log), name[0] as string);
  ['x1', 'x2', 'a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].forEach(enter);
  for (const holder of ['x', 'x', 'a', 'b', 'c', 'a', 'b']) limit.leave(holder);
  await tick();
  t.same(
    log,
    ['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'].map((name) => `start ${name}`),
  );
});

void t.test('in a line that is full, somebody of whom nobody waits finds a place', async (t) => {
  const limit = limitOf(2, { perHolder: 1 });
  const enter = (holder: string) => limit.enter(waiter(holder, []), holder);
  t.same(['a', 'b', 'a', 'a', 'b', 'b'].map(enter), ['go', 'go', 'wait', 'wait', 'wait', 'wait']);
  t.same(['a', 'c', 'c', 'd'].map(enter), ['share full', 'wait', 'full', 'wait']);
});

void t.test('who gives up is not started', async (t) => {
  const log: string[] = [];
  const limit = limitOf(1);
  limit.enter(waiter('a', log), 'k');
  const b = waiter('b', log);
  limit.enter(b, 'k');
  limit.enter(waiter('c', log), 'k');
  limit.forget(b);
  limit.leave('k');
  await tick();
  t.same(log, ['start c']);
});

void t.test('who waits too long expires, in order, and is not started later', async (t) => {
  const log: string[] = [];
  const limit = limitOf(2, { perHolder: 1, waitingForEach: 3, maxWaitMs: 5 });
  limit.enter(waiter('a', log), 'a');
  limit.enter(waiter('x', log), 'x');
  limit.enter(waiter('b', log), 'a');
  await new Promise<void>((resolve) => {
    limit.enter({ start: () => log.push('start c'), expire: () => resolve(void log.push('expire c')) }, 'c');
    // The limit's own timer holds no process open; a test must.
    const hold = setInterval(() => {}, 1_000);
    t.teardown(() => clearInterval(hold));
  });
  t.same(log, ['expire b of its share', 'expire c']);
  limit.leave('a');
  await tick();
  t.same(log, ['expire b of its share', 'expire c']);
  t.equal(limit.enter(waiter('d', log), 'a'), 'go');
});

void t.test('idle is told once nothing is under way or waiting', async (t) => {
  const log: string[] = [];
  const limit = limitOf(1);
  limit.whenIdle(() => log.push('idle at once'));
  limit.enter(waiter('a', log), 'a');
  limit.enter(waiter('b', log), 'b');
  limit.whenIdle(() => log.push('idle'));
  limit.leave('a');
  await tick();
  t.same(log, ['idle at once', 'start b']);
  limit.leave('b');
  t.same(log, ['idle at once', 'start b', 'idle']);
});

interface Request {
  readonly holder: string;
  state: 'waiting' | 'under way' | 'gone';
}

type Move = readonly ['enter', number] | readonly ['leave', number] | readonly ['forget', number];

/** Plays requests of four holders against the limit; throws when what it promises does not hold after a move. */
async function play(size: number, perHolder: number, moves: readonly Move[]): Promise<void> {
  const limit = limitOf(size, { perHolder, waitingForEach: 10_000 });
  const requests: { readonly request: Request; readonly waiter: Waiter }[] = [];
  const having = (state: Request['state'], holder?: string) =>
    requests.filter(({ request }) => request.state === state && (holder ?? request.holder) === request.holder);
  const hold = (): void => {
    const underWay = having('under way').length;
    if (underWay > size) throw new Error('over the limit');
    for (const { request } of requests)
      if (having('under way', request.holder).length > perHolder) throw new Error('over its share');
    for (const { request } of having('waiting'))
      if (underWay < size && having('under way', request.holder).length < perHolder)
        throw new Error('one waits although there is room for it');
  };
  const leave = async (index: number): Promise<void> => {
    const all = having('under way');
    const one = all[index % all.length];
    if (one === undefined) return;
    one.request.state = 'gone';
    limit.leave(one.request.holder);
    await tick();
  };
  for (const [what, n] of moves) {
    if (what === 'enter') {
      const request: Request = { holder: `holder ${n % 4}`, state: 'waiting' };
      const one = { request, waiter: { start: () => void (request.state = 'under way'), expire: () => {} } };
      requests.push(one);
      if (limit.enter(one.waiter, request.holder) === 'go') request.state = 'under way';
    } else if (what === 'leave') await leave(n);
    else {
      const all = having('waiting');
      const one = all[n % all.length];
      if (one !== undefined) {
        one.request.state = 'gone';
        limit.forget(one.waiter);
      }
    }
    hold();
  }
  while (having('under way').length > 0) await leave(0);
  if (having('waiting').length > 0) throw new Error('somebody was forgotten');
  let idle = false;
  limit.whenIdle(() => (idle = true));
  if (!idle) throw new Error('idle was not noticed');
}

void t.test(
  'never more than the limit or a share, nobody waits beside room for it, and nobody is forgotten',
  async (t) => {
    const move = fc.tuple(fc.constantFrom('enter', 'enter', 'leave', 'forget'), fc.nat(40)) as fc.Arbitrary<Move>;
    await t.resolves(
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 5 }),
          fc.integer({ min: 1, max: 5 }),
          fc.array(move, { maxLength: 80, size: 'max' }),
          play,
        ),
        { numRuns: 300 },
      ),
    );
  },
);
