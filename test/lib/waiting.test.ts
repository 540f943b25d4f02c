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
