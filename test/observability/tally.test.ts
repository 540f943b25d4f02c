import t from 'tap';
import { mostFrequent } from '../../src/lib/frequent.ts';
import type { Outcome, Rejection } from '../../src/observability/outcome.ts';
import { countOutcome, createTally, DIMENSIONS, mergeTally, type Tally } from '../../src/observability/tally.ts';
import { REFUSALS } from '../../src/refusal.ts';
import { NOON, outcome, rejected } from '../support/outcomes.ts';

const MODES = ['enforce', 'report'] as const;

function count(tally: Tally, change: Partial<Rejection> = {}, ended: Partial<Outcome> = {}): void {
  const rejection = rejected(change);
  countOutcome(tally, outcome({ keyId: rejection.keyId, ...ended }), rejection);
}

const countsIn = (tally: Tally, mode: 'enforce' | 'report' = 'enforce') =>
  Object.fromEntries(
    DIMENSIONS.map((dimension) => [
      dimension,
      Object.fromEntries(
        mostFrequent(tally[mode][dimension], Infinity).map(([value, known]) => [value, [known.count, known.about]]),
      ),
    ]),
  );

t.test('a refusal is counted in its mode by each of its sides, with its reason', async (t) => {
  for (const mode of MODES) {
    const tally = createTally();
    count(tally, { mode, events: ['a', 'b'] });
    count(tally, { mode, clientIp: '', path: '', reason: 'rate_limited' });
    t.same(countsIn(tally, mode), {
      reasons: { no_route: [1, ''], rate_limited: [1, ''] },
      keys: { web: [2, 'no_route'] },
      addresses: { '203.0.113.7': [1, 'no_route'] },
      paths: { '/a': [1, 'no_route'] },
      events: { a: [1, 'no_route'], b: [1, 'no_route'] },
    });
    t.same([tally.requests, tally.enforce.total, tally.report.total], mode === 'enforce' ? [2, 2, 0] : [2, 0, 2]);
  }
});

t.test('what was cut out of a body is told by its names once, and not where nothing was cut', async (t) => {
  const removed = { removedEvents: 2, events: ['gone'] };
  const cut = createTally();
  countOutcome(cut, outcome(removed), null);
  t.same(
    [cut.removedEvents.values.get('web')?.count, countsIn(cut)['events']],
    [2, { gone: [1, 'event_not_allowed'] }],
  );
  const refused = createTally();
  count(refused, { reason: 'rate_limited', events: ['gone'] }, removed);
  t.same(countsIn(refused)['events'], { gone: [1, 'rate_limited'] }, 'with its refusal');
  const reported = createTally();
  const wouldReject = { code: 'no_route', reason: 'no_route', why: '' } as const;
  countOutcome(reported, outcome({ ...removed, wouldReject }), null);
  t.same([reported.removedEvents.values.size, countsIn(reported)['events']], [0, {}]);
});

t.test('every reason there is has a count of its own, exactly', async (t) => {
  const reasons = [...Object.keys(REFUSALS), 'unknown', 'disabled', 'expired'] as Rejection['reason'][];
  const tally = createTally();
  for (const [n, reason] of reasons.entries()) for (let times = 0; times <= n % 3; times++) count(tally, { reason });
  const whole = createTally();
  mergeTally(whole, tally);
  mergeTally(whole, tally);
  const { values, missed } = whole.enforce.reasons;
  t.equal(missed, 0);
  t.same(
    reasons.map((reason) => values.get(reason)?.count),
    reasons.map((_, n) => 2 * (1 + (n % 3))),
  );
});

t.test('hundreds of keys are told apart, of what a client can invent only what comes often', async (t) => {
  const whole = createTally();
  for (let round = 0; round < 3; round++) {
    const tally = createTally();
    for (let n = 0; n < 256; n++)
      count(
        tally,
        { keyId: `k${n}`, clientIp: `c${round}-${n}`, path: `/${round}-${n}`, events: [`e${round}-${n}`] },
        { removedEvents: 1 },
      );
    mergeTally(whole, tally);
  }
  for (const keys of [whole.requestsByKey, whole.enforce.keys, whole.removedEvents]) {
    t.equal(keys.values.size, 256);
    t.equal(keys.values.get('k7')?.count, 3);
    t.equal(keys.missed, 0);
  }
  for (const invented of [whole.enforce.addresses, whole.enforce.paths, whole.enforce.events])
    t.ok(invented.values.size <= 64, `${invented.values.size}`);
  for (let n = 256; n < 5000; n++) count(whole, { keyId: `k${n}` });
  t.ok(whole.enforce.keys.values.size <= 512);
});

t.test('two are added up in everything', async (t) => {
  const one = createTally();
  const two = createTally();
  count(one, { events: ['a'] }, { upstreamFailure: 'connect', now: NOON });
  count(two, { events: ['a'], mode: 'report' }, { upstreamFailure: 'connect', now: NOON + 1 });
  count(two, {}, { upstreamFailure: 'reset', removedEvents: 3 });
  countOutcome(two, outcome({ upstreamFailure: 'aborted' }), null);
  mergeTally(one, two);
  t.same([one.requests, one.enforce.total, one.report.total], [4, 2, 1]);
  t.same(
    [...one.upstreamErrors],
    [
      ['connect', 2],
      ['reset', 1],
    ],
  );
  t.equal(one.requestsByKey.values.get('web')?.count, 4);
  t.equal(one.removedEvents.values.get('web')?.count, 3);
  t.same(countsIn(one)['paths'], { '/a': [2, 'no_route'] });
  t.same(countsIn(one, 'report')['events'], { a: [1, 'no_route'] });
});
