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
  log.close();
});

t.test('what the last change of a thing led to is known until it is forgotten, each thing by its kind', async (t) => {
  const log = createMemoryLog();
  await log.add(noted('a', 'one'), 'made');
  await log.add(noted('a', 'two'), 'seen');
  await log.add(noted('a', 'other', 'policy'), 'made');
  const [key, policy, list] = (['key', 'policy', 'list'] as const).map((kind) => log.stateAfter({ kind, name: 'a' }));
  t.same([key, policy, list], ['two', 'other', undefined]);
  log.forget();
  t.equal(log.stateAfter({ kind: 'key', name: 'a' }), undefined);
  t.equal(log.list().length, 3, 'what is listed stays');
});
