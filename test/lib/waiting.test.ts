import t from 'tap';
import { endedBy, within } from '../../src/lib/waiting.ts';

const never = new Promise<void>(() => {});

t.test('work that is done in time, that is not, and that fails', async (t) => {
  t.equal(await within(60_000, Promise.resolve()), true);
  t.equal(await within(1, never), false);
  await t.rejects(within(60_000, Promise.reject(new Error('broken'))), { message: 'broken' });
});

t.test('a signal ends each wait, before it and after it began', async (t) => {
  const controller = new AbortController();
  const unlessEnded = endedBy(controller.signal);
  t.equal(await unlessEnded(Promise.resolve(1)), 1);
  const waiting = unlessEnded(never);
  controller.abort(new Error('over'));
  await t.rejects(waiting, { message: 'over' });
  await t.rejects(unlessEnded(never), { message: 'over' });
  await t.rejects(endedBy(controller.signal)(never), { message: 'over' });
});

t.test('no timer is left of work that was done or failed in time', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  await within(60_000, Promise.resolve());
  await t.rejects(within(60_000, Promise.reject(new Error('broken'))));
  t.equal(timers(), before);
});

t.test('a signal for which nobody waits is no unhandled rejection', async (t) => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  endedBy(AbortSignal.abort(new Error('over')));
  await new Promise(setImmediate);
  process.off('unhandledRejection', note);
  t.same(unhandled, []);
});
