import t from 'tap';
import { createRecorder, loggablePath } from '../../src/observability/outcome.ts';
import type { Outcome, Rejection, RequestLogging } from '../../src/observability/outcome.ts';
import { refusal, REFUSALS } from '../../src/refusal.ts';
import { credentialRefusal, NOON, outcome } from '../support/outcomes.ts';

/** Records outcomes and says who heard of each. */
function recording(requests: RequestLogging['requests'], ...outcomes: readonly Outcome[]) {
  const heard = {
    metrics: 0,
    rejections: [] as Rejection[],
    upstream: 0,
    requests: 0,
    recent: [] as Rejection[],
    summary: 0,
  };
  const record = createRecorder({
    metrics: { record: () => void heard.metrics++ },
    log: {
      rejection: (rejection) => void heard.rejections.push(rejection),
      upstreamFailure: () => void heard.upstream++,
      request: () => void heard.requests++,
    },
    recent: { add: (rejection) => void heard.recent.push(rejection) },
    summary: { record: (_outcome, rejection) => void (heard.summary += rejection === null ? 0 : 1) },
    logging: { requests, sample: 1 },
    random: () => 0.5,
  });
  outcomes.forEach(record);
  return heard;
}

t.test('a refusal becomes one record with exactly the fields of the log line, for log and list alike', async (t) => {
  const { rejections, recent } = recording(
    'rejections',
    outcome({ status: 401, refusal: credentialRefusal('disabled'), removedEvents: 2 }),
  );
  t.strictSame(rejections, [
    {
      level: 'warn',
      time: '2026-01-31T12:00:00.000Z',
      msg: 'rejected',
      requestId: 'req-1',
      api: 'integration',
      keyId: 'web',
      reason: 'disabled',
      status: 401,
      clientIp: '203.0.113.7',
      method: 'POST',
      path: '/event/ingest',
      removedEvents: 2,
      mode: 'enforce',
      rule: undefined,
      events: undefined,
      userAgent: undefined,
      traceId: undefined,
      aborted: undefined,
    },
  ]);
  t.equal(recent[0], rejections[0]);
});

t.test('what a client calls itself is cut, and only what is known is told', async (t) => {
  const refused = { refusal: refusal('no_route', 'x') };
  const [line] = recording('rejections', outcome({ ...refused, userAgent: 'é'.repeat(129), events: ['a'] })).rejections;
  t.match(line, { userAgent: 'é'.repeat(128), events: ['a'], traceId: undefined, aborted: undefined });
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const [other] = recording('rejections', outcome({ ...refused, traceId, aborted: true, userAgent: '' })).rejections;
  t.match(other, { userAgent: '', events: undefined, traceId, aborted: true });
});

t.test('a would-be refusal says so, with the status that the client received', async (t) => {
  const { rejections } = recording('rejections', outcome({ wouldReject: refusal('ip_not_allowed', 'no') }));
  t.match(rejections, [{ msg: 'would_reject', mode: 'report', reason: 'ip_not_allowed', status: 204 }]);
});

t.test('an enforced refusal wins over a would-be one of the same request', async (t) => {
  const both = outcome({ wouldReject: refusal('no_route', 'a'), refusal: refusal('body_too_large', 'b') });
  t.match(recording('rejections', both).rejections, [{ reason: 'body_too_large', mode: 'enforce' }]);
});

t.test('a would-be refusal is told even when the upstream then fails', async (t) => {
  const { rejections, upstream, requests } = recording(
    'all',
    outcome({
      wouldReject: refusal('ip_not_allowed', 'a'),
      refusal: refusal('upstream_timeout', 'b'),
      upstreamFailure: 'header_timeout',
      status: 504,
    }),
  );
  t.match(rejections, [{ msg: 'would_reject', reason: 'ip_not_allowed', mode: 'report', status: 504 }]);
  t.equal(upstream, 1);
  t.equal(requests, 0);
});

t.test('a client that goes away is no failure of the upstream', async (t) => {
  const gone = outcome({ status: 499, upstreamFailure: 'aborted' });
  t.match(recording('all', gone), { upstream: 0, requests: 1, rejections: [] });
});

t.test('every level of the table reaches the line', async (t) => {
  for (const code of ['ip_not_allowed', 'no_route'] as const) {
    const [line] = recording('rejections', outcome({ refusal: refusal(code, 'x') })).rejections;
    t.equal(line?.level, REFUSALS[code].level);
  }
});

t.test('an upstream failure is logged as one, and is no rejection', async (t) => {
  const failed = outcome({ refusal: refusal('upstream_unreachable', 'x'), upstreamFailure: 'connect', status: 502 });
  t.match(recording('rejections', failed), { metrics: 1, upstream: 1, rejections: [], recent: [], summary: 0 });
  const interrupted = outcome({ status: 200, upstreamFailure: 'truncated' });
  t.match(recording('rejections', interrupted), { upstream: 1, requests: 0 });
});

t.test('log.requests decides about lines alone, never about counters and lists', async (t) => {
  const some = [
    outcome(),
    outcome({ refusal: refusal('no_route', 'x') }),
    outcome({ upstreamFailure: 'header_timeout' }),
  ];
  t.match(recording('none', ...some), {
    metrics: 3,
    recent: { length: 1 },
    summary: 1,
    rejections: [],
    upstream: 0,
    requests: 0,
  });
  t.match(recording('rejections', ...some), { metrics: 3, rejections: { length: 1 }, upstream: 1, requests: 0 });
  t.match(recording('all', ...some), { metrics: 3, rejections: { length: 1 }, upstream: 1, requests: 1 });
});

t.test('of the requests that pass a share gets a line; refusals and failures always do', async (t) => {
  const linesWith = (sample: number): number => {
    let lines = 0;
    const line = (): void => void lines++;
    let drawn = 0;
    const record = createRecorder({
      metrics: { record: () => {} },
      log: { rejection: line, upstreamFailure: line, request: line },
      recent: { add: () => {} },
      summary: { record: () => {} },
      logging: { requests: 'all', sample },
      random: () => drawn++ / 10,
    });
    for (let i = 0; i < 10; i++) record(outcome());
    record(outcome({ refusal: refusal('no_route', 'x') }));
    record(outcome({ wouldReject: refusal('no_route', 'x') }));
    record(outcome({ upstreamFailure: 'header_timeout' }));
    return lines;
  };
  t.same([0, 0.3, 0.31, 1].map(linesWith), [3, 6, 7, 13]);
});

t.test('a path is kept without its query and up to a bound', async (t) => {
  t.equal(loggablePath('/a/b'), '/a/b');
  t.equal(loggablePath('/a?api_key=s3cret'), '/a');
  t.equal(loggablePath('/a#s3cret'), '/a');
  const longest = `/${'a'.repeat(1023)}`;
  t.equal(loggablePath(longest), longest);
  t.equal(loggablePath(`${longest}b`), `${longest}…`);
  t.equal(loggablePath(`${longest}?b`), longest);
  t.equal(loggablePath('/a#b?c'), '/a');
  t.equal(loggablePath(`/${'a'.repeat(20_000)}`).length, 1025);
  t.equal(NOON, Date.parse('2026-01-31T12:00:00Z'));
});

t.test('whatever a client says of itself is bounded in the record of its refusal', async (t) => {
  const long = 'x'.repeat(5000);
  const said = { requestId: long, clientIp: long, method: long, path: `/${long}`, userAgent: long };
  const [line] = recording('rejections', outcome({ ...said, refusal: refusal('no_route', 'no') })).rejections;
  const cut = `${'x'.repeat(128)}…`;
  t.same([line?.requestId, line?.clientIp, line?.method], [cut, cut, cut]);
  t.same([line?.path.length, line?.userAgent?.length], [1025, 128]);
});
