import t from 'tap';
import { createDeadlines, type Timed } from '../../../src/upstream/wire/deadlines.ts';

void t.test('each is told when its time is over, and not before, as long as it is watched', async (t) => {
  let now = 0;
  const deadlines = createDeadlines(() => now);
  const told: string[] = [];
  const timed = (name: string, dueAt: number): Timed & { dueAt: number } => ({
    dueAt,
    onDue(at) {
      told.push(`${name} at ${at}`);
      this.dueAt = Number.POSITIVE_INFINITY;
      woken?.();
    },
  });
  let woken: (() => void) | null = null;
  // Its timer keeps no process alive.
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(alive));
  const nextTold = (): Promise<void> => new Promise((resolve) => (woken = resolve));
  const early = timed('early', 1_000);
  const late = timed('late', 2_000);
  const forgotten = timed('forgotten', 1_000);
  for (const one of [early, late, forgotten, timed('never', Number.POSITIVE_INFINITY)]) deadlines.watch(one);
  deadlines.forget(forgotten);
  now = 999;
  late.dueAt = 999;
  await nextTold();
  t.strictSame(told, ['late at 999']);
  now = 1_000;
  await nextTold();
  t.strictSame(told, ['late at 999', 'early at 1000']);
});

void t.test('a loop that was held up reads first what has come meanwhile', async (t) => {
  const deadlines = createDeadlines(() => performance.now());
  const startedAt = performance.now();
  let turns = 0;
  const told = new Promise<number>((resolve) => {
    deadlines.watch({ dueAt: startedAt, onDue: () => resolve(turns) });
  });
  while (performance.now() - startedAt < 400);
  const timer = setInterval(() => (turns += 1), 1);
  t.ok((await told) > 1, 'turns of the loop have passed since');
  clearInterval(timer);
});
