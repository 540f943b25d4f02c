/** What a soak calls a leak; that it sees each is proved by `npm run soak -- --prove`, which takes minutes. */
import t from 'tap';
import { grown, verdictOf } from './support/soak-verdict.ts';

const at = (listeners: number, heap: number, sockets: number) => ({
  listeners,
  'heap (KB)': heap,
  TCPSocketWrap: sockets,
});

t.test('what grows in every round is a leak, what settles is not', async (t) => {
  t.same(grown([at(180, 27_000, 8), at(181, 29_000, 9), at(180, 29_200, 8)]), [], 'settles');
  t.same(
    grown([at(180, 27_000, 8), at(1180, 30_000, 12), at(2180, 33_000, 16)]).map(({ what }) => what),
    ['listeners', 'heap (KB)', 'TCPSocketWrap'],
  );
  t.match(grown([{}, { Timeout: 5 }, { Timeout: 10 }]), [{ what: 'Timeout', counts: [0, 5, 10] }], 'a new kind');
});

t.test('complaints, growth and failed requests each end a soak, and the report names them', async (t) => {
  const counts = [at(1, 1, 1), at(1, 1, 1), at(1, 1, 1)];
  const seen = {
    seconds: 60,
    subjects: [{ name: 'in memory', counts, requests: 7 }],
    outcomes: new Map([['as expected', 7]]),
    complaints: [],
    events: { reloads: 1, flaps: 1, redisRestarts: 1 },
  };
  t.same(verdictOf(seen).findings, []);
  t.ok(verdictOf(seen).report.includes('\nFlat: '));
  const leaky = {
    ...seen,
    subjects: [{ name: 'in memory', counts: [at(1, 1, 1), at(99, 1, 1), at(199, 1, 1)], requests: 7 }],
  };
  t.same(verdictOf(leaky).findings, ['in memory: listeners grew, 1, 99, 199']);
  t.same(
    verdictOf({ ...seen, complaints: ['in memory: 3 connections of replaced pools stay open'] }).findings.length,
    1,
  );
  const failed = verdictOf({ ...seen, outcomes: new Map([['unexpected: read 500', 2]]) });
  t.same(failed.findings, ['2 unexpected: read 500']);
  t.ok(failed.report.includes('Not flat:\n\n- 2 unexpected: read 500\n'));
});
