import t from 'tap';
import type { Outcome, Rejection } from '../../src/observability/outcome.ts';
import { createSummary, type Summary } from '../../src/observability/summary.ts';
import { NOON, outcome, rejected } from '../support/outcomes.ts';

const MINUTE = 60_000;

function reject(summary: Summary, now: number, change: Partial<Rejection> = {}, ended: Partial<Outcome> = {}): void {
  const whole = outcome({ ...ended, now, keyId: change.keyId ?? 'web' });
  const rejection = rejected(change);
  summary.record(whole, rejection);
}

const none = { total: 0, byReason: {}, byKey: {} };
const totals = (summary: Summary, now: number, minutes?: number) =>
  summary.read(now, minutes).minutes.reduce((sum, step) => sum + step.enforce.total, 0);

t.test('sixty minutes, oldest first, the running one last, empty ones with zeros', async (t) => {
  const { minutes, since, now, stepMinutes } = createSummary(NOON).read(NOON + 1234);
  t.equal(minutes.length, 60);
  t.equal(minutes[0]?.time, '2026-01-31T11:01:00.000Z');
  t.strictSame(minutes[59], {
    time: '2026-01-31T12:00:00.000Z',
    requests: 0,
    enforce: none,
    report: none,
    upstreamErrors: {},
    removedEvents: 0,
  });
  t.strictSame(
    { since, now, stepMinutes },
    { since: '2026-01-31T12:00:00.000Z', now: '2026-01-31T12:00:01.234Z', stepMinutes: 1 },
  );
});

t.test('counts by reason and by key, report mode apart, beside all requests', async (t) => {
  const summary = createSummary(NOON);
  reject(summary, NOON);
  reject(summary, NOON + 59_999, { reason: 'ip_not_allowed' });
  reject(summary, NOON, { keyId: '', reason: 'unknown' });
  reject(summary, NOON, { mode: 'report' });
  summary.record(outcome({ now: NOON }), null);
  const read = summary.read(NOON);
  t.strictSame(read.minutes[59], {
    time: '2026-01-31T12:00:00.000Z',
    requests: 5,
    enforce: { total: 3, byReason: { no_route: 1, ip_not_allowed: 1, unknown: 1 }, byKey: { web: 2, '': 1 } },
    report: { total: 1, byReason: { no_route: 1 }, byKey: { web: 1 } },
    upstreamErrors: {},
    removedEvents: 0,
  });
  t.strictSame(read.requests, { total: 5, byKey: { web: 4, '': 1 } });
});

t.test('a minute leaves after an hour, and its place is not mistaken for a later one', async (t) => {
  const summary = createSummary(NOON);
  reject(summary, NOON);
  t.equal(summary.read(NOON + 59 * MINUTE).minutes[0]?.enforce.total, 1);
  t.equal(totals(summary, NOON + 60 * MINUTE), 0);
  reject(summary, NOON + 60 * MINUTE);
  t.equal(totals(summary, NOON + 60 * MINUTE), 1);
});

t.test('a day in steps of ten minutes has every request once, the running minute too', async (t) => {
  const summary = createSummary(NOON);
  for (let minute = 0; minute < 125; minute++) reject(summary, NOON + minute * MINUTE);
  const now = NOON + 124 * MINUTE;
  const { minutes, stepMinutes, requests } = summary.read(now, 1440);
  t.equal(minutes.length, 144);
  t.equal(stepMinutes, 10);
  t.equal(requests.total, 125);
  t.strictSame(
    minutes.slice(-3).map(({ time, enforce }) => [time, enforce.total]),
    [
      ['2026-01-31T13:40:00.000Z', 10],
      ['2026-01-31T13:50:00.000Z', 10],
      ['2026-01-31T14:00:00.000Z', 5],
    ],
  );
  t.equal(totals(summary, now), 60);
  t.equal(totals(summary, now, 90), 85, 'nine steps, the running one among them');
  t.equal(totals(summary, now, 5), 5);
  reject(summary, NOON + 1440 * MINUTE);
  t.equal(totals(summary, NOON + 1441 * MINUTE, 1440), 116, 'the first ten minutes of the day before have gone');
  t.equal(summary.read(NOON + 1441 * MINUTE, 100_000).minutes.length, 144, 'no more than a day is kept');
  t.equal(totals(summary, NOON + 2900 * MINUTE, 1440), 0);
});

t.test('a clock set back loses nothing that was counted', async (t) => {
  const summary = createSummary(NOON);
  reject(summary, NOON);
  reject(summary, NOON - 60 * MINUTE);
  t.equal(summary.read(NOON).minutes[59]?.enforce.total, 2);
});

t.test('lists what is refused most, with first and last time and why', async (t) => {
  const summary = createSummary(NOON);
  for (let minute = 0; minute < 3; minute++)
    reject(summary, NOON + minute * MINUTE, { reason: 'event_not_allowed', events: ['purchase', 'refund'] });
  reject(summary, NOON + 5 * MINUTE, { clientIp: '198.51.100.9', path: '/b', keyId: '', reason: 'unknown' });
  reject(summary, NOON, { mode: 'report', clientIp: '192.0.2.1' });
  const { enforce, report } = summary.read(NOON + 5 * MINUTE).top;
  const often = {
    count: 3,
    missed: 0,
    firstSeen: '2026-01-31T12:00:00.000Z',
    lastSeen: '2026-01-31T12:02:00.000Z',
    mainReason: 'event_not_allowed',
  };
  const once = {
    count: 1,
    missed: 0,
    firstSeen: '2026-01-31T12:05:00.000Z',
    lastSeen: '2026-01-31T12:05:00.000Z',
    mainReason: 'unknown',
  };
  t.strictSame(enforce, {
    reasons: [
      { ...often, value: 'event_not_allowed', mainReason: null },
      { ...once, value: 'unknown', mainReason: null },
    ],
    keys: [
      { ...often, value: 'web' },
      { ...once, value: '' },
    ],
    addresses: [
      { ...often, value: '203.0.113.7' },
      { ...once, value: '198.51.100.9' },
    ],
    paths: [
      { ...often, value: '/a' },
      { ...once, value: '/b' },
    ],
    events: [
      { ...often, value: 'purchase' },
      { ...often, value: 'refund' },
    ],
  });
  t.equal(report.addresses[0]?.value, '192.0.2.1');
});

t.test('what strangers invent is listed ten at a time, and grows nothing', async (t) => {
  const summary = createSummary(NOON);
  for (let n = 0; n < 20_000; n++)
    reject(summary, NOON, { keyId: '', reason: 'unknown', clientIp: `2001:db8::${n.toString(16)}`, path: `/${n}` });
  for (let n = 0; n < 2000; n++) reject(summary, NOON + 2 * MINUTE, { clientIp: '198.51.100.9', path: '/real' });
  const { addresses, paths } = summary.read(NOON + 3 * MINUTE).top.enforce;
  t.equal(addresses.length, 10);
  t.equal(addresses[0]?.value, '198.51.100.9');
  t.equal(addresses[0]?.count, 2000);
  t.equal(paths[0]?.value, '/real');
});

t.test('upstream errors by kind, and events cut out by key, but none that only would have been', async (t) => {
  const summary = createSummary(NOON);
  summary.record(outcome({ now: NOON, upstreamFailure: 'connect' }), null);
  summary.record(outcome({ now: NOON, upstreamFailure: 'aborted' }), null);
  summary.record(outcome({ now: NOON, removedEvents: 3, events: ['purchase'] }), null);
  reject(
    summary,
    NOON,
    { mode: 'report' },
    { removedEvents: 2, events: ['refund'], wouldReject: { code: 'no_route', reason: 'no_route', why: '' } },
  );
  const read = summary.read(NOON);
  t.strictSame(read.upstreamErrors, { connect: 1 });
  t.strictSame(read.removedEvents, { web: 3 });
  t.strictSame(read.minutes[59]?.upstreamErrors, { connect: 1 });
  t.equal(read.minutes[59]?.removedEvents, 3);
  t.same(
    read.top.enforce.events.map(({ value, mainReason }) => [value, mainReason]),
    [['purchase', 'event_not_allowed']],
  );
});

t.test('its version changes with each request and each minute, and with nothing else', async (t) => {
  const summary = createSummary(NOON);
  const before = summary.version(NOON);
  t.equal(summary.version(NOON + 59_999), before);
  t.not(summary.version(NOON + MINUTE), before);
  summary.record(outcome({ now: NOON }), null);
  t.not(summary.version(NOON), before);
});
