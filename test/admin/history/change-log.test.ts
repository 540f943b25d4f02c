import t from 'tap';
import { createMemoryLog, MOST_CHANGES, type Noted } from '../../../src/admin/history/change-log.ts';
import type { HistoryChange } from '../../../src/admin/history/change.ts';

const noted = (target: string, state: string, kind: HistoryChange['kind'] = 'key'): Noted => ({
  change: { time: '2026-01-01T00:00:00.000Z', who: 'anna', address: null, action: 'a', kind, target, fields: {} },
  state,
});

t.test('the latest are kept, newest first, and no more than are said', async (t) => {
  const log = createMemoryLog();
  await log.sync();
  t.same([log.list(), log.why()], [[], null]);
  for (let i = 0; i < 2 * MOST_CHANGES + 2; i++) await log.add(noted(`k${i}`, 's'), 'made');
  const targets = log.list().map(({ target }) => target);
  t.same(
    [targets.length, targets[0], targets.at(-1)],
    [MOST_CHANGES, `k${2 * MOST_CHANGES + 1}`, `k${MOST_CHANGES + 2}`],
  );
  const led = (name: string) => log.led({ kind: 'key', name }, 's');
  t.same([led('k0'), led('k1'), led('k2'), led(`k${2 * MOST_CHANGES + 1}`)], [0, 0, 3, 2 * MOST_CHANGES + 2]);
  t.equal(log.position(), 2 * MOST_CHANGES + 2);
  log.close();
});

t.test('it is known whether, and how late, a change led to a state, each thing by its kind', async (t) => {
  const log = createMemoryLog();
  t.equal(log.position(), 0);
  await log.add(noted('a', 'one'), 'made');
  await log.add(noted('a', 'two'), 'seen');
  await log.add(noted('a', 'two', 'policy'), 'made');
  await log.add(noted('a', 'one'), 'made');
  const led = (kind: HistoryChange['kind'], state: string) => log.led({ kind, name: 'a' }, state);
  t.same([led('key', 'one'), led('key', 'two'), led('policy', 'two'), led('list', 'two')], [4, 2, 3, 0]);
  t.equal(log.position(), 4);
});
