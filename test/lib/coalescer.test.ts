import t from 'tap';
import { createCoalescer } from '../../src/lib/coalescer.ts';

/** Work that is finished by hand. */
function byHand() {
  const ends: (() => void)[] = [];
  const work = () => new Promise<void>((resolve) => void ends.push(resolve));
  return { work, ends };
}

// A rest keeps no process alive, and here nothing else does.
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test('one run at a time, and one more for all who asked meanwhile', async (t) => {
  const { work, ends } = byHand();
  const { request } = createCoalescer(work, { restMs: 0, restPerRun: 0 });
  const first = request();
  const later = Array.from({ length: 100 }, request);
  t.equal(ends.length, 1);
  ends[0]?.();
  await first;
  let done = 0;
  for (const asked of later) void asked.then(() => done++);
  while (ends.length < 2) await turn();
  await turn();
  t.equal(done, 0, 'those who came during the first wait for one that began after they asked');
  ends[1]?.();
  await Promise.all(later);
  t.equal(ends.length, 2);
  const again = request();
  while (ends.length < 3) await turn();
  ends[2]?.();
  await again;
});

t.test('the rest grows with what a run costs', async (t) => {
  let now = 0;
  let runs = 0;
  const { request } = createCoalescer(
    async () => {
      runs++;
      now += 20;
    },
    { restMs: 0, restPerRun: 3, monotonic: () => now },
  );
  const order: string[] = [];
  await request();
  const second = request().then(() => order.push('second run'));
  // Set after the coalescer set its own, and shorter than that.
  setTimeout(() => order.push('a moment'), 30);
  await second;
  t.same(order, ['a moment', 'second run']);
  t.equal(runs, 2);
});

t.test('it rests for 20 ms, and longer after a run that took longer, by the clock of the machine', async (t) => {
  const { setTimeout } = globalThis;
  const rests: number[] = [];
  const note = (run: () => void, ms: number): NodeJS.Timeout => {
    rests.push(ms);
    return setTimeout(run, 0);
  };
  Object.assign(globalThis, { setTimeout: note });
  t.teardown(() => Object.assign(globalThis, { setTimeout }));
  for (const spin of [0, 40]) {
    const { request } = createCoalescer(async () => {
      const end = performance.now() + spin;
      while (performance.now() < end);
    });
    await request();
    await turn();
  }
  Object.assign(globalThis, { setTimeout });
  t.equal(rests.length, 2);
  t.ok((rests[0] as number) >= 20 && (rests[1] as number) >= 40, rests.join());
});

t.test('a run that fails, fails for those who asked for it alone', async (t) => {
  let runs = 0;
  const { request } = createCoalescer(
    async () => {
      if (runs++ === 0) throw new Error('once');
    },
    { restMs: 0 },
  );
  await t.rejects(request(), { message: 'once' });
  await request();
  t.equal(runs, 2);
});

t.test('once closed, nothing runs any more, and nobody waits for ever', async (t) => {
  let runs = 0;
  const { request, close } = createCoalescer(async () => void runs++, { restMs: 0 });
  await request();
  const waiting = request();
  close();
  await waiting;
  await request();
  t.equal(runs, 1);
});

t.test('without a word on it, the rest is as long as the run was, and 20 ms at least', async (t) => {
  const rests: number[] = [];
  const { setTimeout } = globalThis;
  t.teardown(() => Object.assign(globalThis, { setTimeout }));
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms: number) => (rests.push(ms), setTimeout(run, 0)),
  });
  let now = 1000;
  for (const [cost, wanted] of [
    [0, 20],
    [20, 20],
    [500, 500],
  ] as const) {
    const { request } = createCoalescer(async () => void (now += cost), { monotonic: () => now });
    await request();
    await turn();
    t.equal(rests.at(-1), wanted, `${cost}`);
  }
});
