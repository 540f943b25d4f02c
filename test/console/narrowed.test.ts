/** The summary of what the overview is filtered by, and the address that says so. */
import t from 'tap';
import type { Rejection } from '../../src/admin/console/api/types.ts';
import { shownOf } from '../../src/admin/console/overview/narrowed.ts';
import type { OverviewView } from '../../src/admin/console/overview/view.ts';
import { minuteAfterStart, summaryOf } from '../support/summaries.ts';

const VIEW: OverviewView = { mode: 'enforce', by: 'reason', range: '60', filter: {} };
const summary = summaryOf(3, [
  { at: 1, times: 500, keyId: '', reason: 'unknown', clientIp: '198.51.100.66' },
  { at: 2, times: 2, keyId: 'backend', reason: 'ip_not_allowed', clientIp: '192.0.2.44' },
]);
const rejection = (minutes: number, change: Partial<Rejection>): Rejection =>
  ({
    time: minuteAfterStart(minutes),
    keyId: 'backend',
    reason: 'ip_not_allowed',
    clientIp: '192.0.2.44',
    path: '/a',
    ...change,
  }) as Rejection;

const totals = ({ minutes }: typeof summary) =>
  minutes.slice(-4).map(({ enforce }) => [enforce.total, enforce.byReason, enforce.byKey]);

void t.test('without a filter everything is shown as it was counted', async (t) => {
  t.equal(shownOf(summary, VIEW, []).summary, summary);
});

void t.test('of one reason or one key all are counted, also those that no list keeps', async (t) => {
  const kept = [rejection(1, { keyId: '', reason: 'unknown', clientIp: '198.51.100.66' })];
  const ofReason = shownOf(summary, { ...VIEW, filter: { reason: 'unknown' } }, kept);
  t.equal(ofReason.partial, false);
  t.equal(ofReason.listed, 1, 'the lists tell of the one that is kept');
  t.same(totals(ofReason.summary), [
    [0, {}, {}],
    [500, { unknown: 500 }, {}],
    [0, {}, {}],
    [0, {}, {}],
  ]);
  t.equal(ofReason.summary.top.enforce.reasons[0]?.count, 500);
  t.equal(ofReason.summary.top.enforce.addresses[0]?.value, '198.51.100.66');
  const ofKey = shownOf(summary, { ...VIEW, filter: { key: 'backend' } }, []);
  t.same(totals(ofKey.summary).at(2), [2, {}, { backend: 2 }]);
  t.same(
    ofKey.summary.top.enforce.keys.map(({ value }) => value),
    ['backend'],
  );
  const whole = [rejection(2, {}), rejection(2, {})];
  t.equal(shownOf(summary, { ...VIEW, filter: { key: 'backend' } }, whole).listed, null, 'all of them are kept');
});

void t.test('a key that is not among the ten that the server lists is listed where it is chosen', async (t) => {
  const came = Array.from({ length: 11 }, (_, n) => ({ at: 1, times: 20 - n, keyId: `key-${n}`, reason: 'unknown' }));
  const { summary: shown } = shownOf(summaryOf(3, came), { ...VIEW, filter: { key: 'key-10' } }, [
    rejection(1, { keyId: 'key-10', reason: 'unknown' }),
  ]);
  t.same(
    shown.top.enforce.keys.map(({ value, count }) => [value, count]),
    [['key-10', 1]],
  );
});

void t.test('of everything else what the list holds is counted, within the range, and said to be that', async (t) => {
  const kept = [
    rejection(2, {}),
    rejection(2, {}),
    rejection(1, { path: '/b', events: ['login'] }),
    rejection(-90, {}),
  ];
  const { summary: shown, partial } = shownOf(summary, { ...VIEW, filter: { address: '192.0.2.44' } }, kept);
  t.equal(partial, true);
  t.same(totals(shown), [
    [0, {}, {}],
    [1, { ip_not_allowed: 1 }, { backend: 1 }],
    [2, { ip_not_allowed: 2 }, { backend: 2 }],
    [0, {}, {}],
  ]);
  const { paths, events, addresses } = shown.top.enforce;
  t.same(
    [paths, events, addresses].map((list) => list.map(({ value, count }) => [value, count])),
    [
      [
        ['/a', 2],
        ['/b', 1],
      ],
      [['login', 1]],
      [['192.0.2.44', 3]],
    ],
  );
  t.same([addresses[0]?.firstSeen, addresses[0]?.lastSeen], [minuteAfterStart(1), minuteAfterStart(2)]);
  t.same(shown.top.report, summary.top.report);
});
