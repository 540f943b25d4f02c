import t from 'tap';
import type { Rejection } from '../../src/observability/outcome.ts';
import { createSummary } from '../../src/observability/summary.ts';
import { NOON } from '../support/outcomes.ts';

const MINUTE = 60_000;
const rejection = (change: Partial<Rejection>) =>
  ({ keyId: 'web', reason: 'no_route', mode: 'enforce', ...change }) as Rejection;

t.test('sixty minutes, oldest first, the running one last, empty ones with zeros', async (t) => {
  const minutes = createSummary().read(NOON + 1234);
  t.equal(minutes.length, 60);
  t.equal(minutes[0]?.time, '2026-01-31T11:01:00.000Z');
  t.strictSame(minutes[59], {
    time: '2026-01-31T12:00:00.000Z',
    enforce: { total: 0, byReason: {}, byKey: {} },
    report: { total: 0, byReason: {}, byKey: {} },
  });
});

t.test('counts by reason and by key, report mode apart', async (t) => {
  const summary = createSummary();
  summary.add(rejection({}), NOON);
  summary.add(rejection({ reason: 'ip_not_allowed' }), NOON + 59_999);
  summary.add(rejection({ keyId: '', reason: 'unknown' }), NOON);
  summary.add(rejection({ mode: 'report' }), NOON);
  t.strictSame(summary.read(NOON)[59], {
    time: '2026-01-31T12:00:00.000Z',
    enforce: { total: 3, byReason: { no_route: 1, ip_not_allowed: 1, unknown: 1 }, byKey: { web: 2, '': 1 } },
    report: { total: 1, byReason: { no_route: 1 }, byKey: { web: 1 } },
  });
});

t.test('a minute leaves after an hour, and its place is not mistaken for a later one', async (t) => {
  const summary = createSummary();
  summary.add(rejection({}), NOON);
  t.equal(summary.read(NOON + 59 * MINUTE)[0]?.enforce.total, 1);
  const total = (now: number) => summary.read(now).reduce((sum, minute) => sum + minute.enforce.total, 0);
  t.equal(total(NOON + 60 * MINUTE), 0);
  summary.add(rejection({}), NOON + 60 * MINUTE);
  t.equal(total(NOON + 60 * MINUTE), 1);
});

t.test('a clock set back loses nothing that was counted', async (t) => {
  const summary = createSummary();
  summary.add(rejection({}), NOON);
  summary.add(rejection({}), NOON - 60 * MINUTE);
  t.equal(summary.read(NOON)[59]?.enforce.total, 2);
});
