import t from 'tap';
import type { KeySnapshot } from '../../src/keys/key.ts';
import { refusal } from '../../src/refusal.ts';
import { metricsOver, scrape } from '../support/metrics.ts';
import { credentialRefusal, key, NOON, outcome, snapshot } from '../support/outcomes.ts';

const secret = (id: string) => ({ id, digest: '', expiresAt: null });
const web = snapshot([key('web')]);

t.test('a forwarded request is counted by API, key and status', async (t) => {
  const metrics = metricsOver(() => web);
  metrics.record(outcome());
  metrics.record(outcome());
  metrics.record(outcome({ status: 502, upstreamFailure: 'connect' }));
  const series = await scrape(metrics);
  t.equal(series.get('postern_requests_total{api="integration",key="web",status="204"}'), 2);
  t.equal(series.get('postern_requests_total{api="integration",key="web",status="502"}'), 1);
});

t.test('a status outside the classes of HTTP does not make a series of its own', async (t) => {
  const metrics = metricsOver(() => web);
  for (const status of [0, 99, 600, 999]) metrics.record(outcome({ status }));
  t.equal((await scrape(metrics)).get('postern_requests_total{api="integration",key="web",status="other"}'), 4);
});

t.test('refusals and would-be refusals are counted apart, by reason', async (t) => {
  const metrics = metricsOver(() => web);
  metrics.record(outcome({ status: 403, refusal: refusal('ip_not_allowed', 'no') }));
  metrics.record(outcome({ wouldReject: refusal('ip_not_allowed', 'no') }));
  metrics.record(outcome({ wouldReject: refusal('ip_not_allowed', 'no') }));
  metrics.record(outcome({ status: 401, refusal: credentialRefusal('expired') }));
  const series = await scrape(metrics);
  const count = (reason: string, mode: string) =>
    series.get(`postern_rejections_total{api="integration",key="web",reason="${reason}",mode="${mode}"}`);
  t.equal(count('ip_not_allowed', 'enforce'), 1);
  t.equal(count('ip_not_allowed', 'report'), 2);
  t.equal(count('expired', 'enforce'), 1);
  t.equal(count('disabled', 'enforce'), 0, 'begins at 0, so that its first refusal is an increase');
  t.equal(count('expired', 'report'), 0);
});

t.test('an upstream failure is an upstream error and not a rejection', async (t) => {
  const metrics = metricsOver(() => web);
  metrics.record(
    outcome({ status: 504, refusal: refusal('upstream_timeout', 'slow'), upstreamFailure: 'header_timeout' }),
  );
  const series = await scrape(metrics);
  t.equal(series.get('postern_upstream_errors_total{api="integration",kind="header_timeout"}'), 1);
  t.equal(series.get('postern_upstream_errors_total{api="metrics",kind="header_timeout"}'), 0);
  t.notOk([...series.keys()].some((name) => name.includes('reason="upstream_timeout"')));
});

t.test('each way in which an upstream can fail has a series of its own', async (t) => {
  const kinds = [
    'connect',
    'connect_timeout',
    'tls',
    'reset',
    'header_timeout',
    'idle_timeout',
    'malformed',
    'truncated',
    'unknown',
  ] as const;
  const metrics = metricsOver(() => web);
  const failures = async () => [...(await scrape(metrics))].filter(([name]) => name.includes('upstream_errors_total'));
  t.equal((await failures()).length, 2 * kinds.length);
  t.ok((await failures()).every(([, count]) => count === 0));
  for (const [n, kind] of kinds.entries())
    for (let times = 0; times <= n; times++) metrics.record(outcome({ status: 502, upstreamFailure: kind }));
  const counted = new Map(await failures());
  for (const [n, kind] of kinds.entries())
    t.equal(counted.get(`postern_upstream_errors_total{api="integration",kind="${kind}"}`), n + 1, kind);
});

t.test('a would-be refusal counts in report mode even when the upstream then fails', async (t) => {
  const metrics = metricsOver(() => web);
  const failed = { refusal: refusal('upstream_timeout', 'x'), upstreamFailure: 'header_timeout' } as const;
  metrics.record(outcome({ ...failed, wouldReject: refusal('rate_limited', 'x'), status: 504 }));
  const reported = 'postern_rejections_total{api="integration",key="web",reason="rate_limited",mode="report"}';
  t.equal((await scrape(metrics)).get(reported), 1);
});

t.test('a full pool and a client that went away are not errors of the upstream', async (t) => {
  const metrics = metricsOver(() => web);
  metrics.record(outcome({ status: 503, refusal: refusal('overloaded', 'x'), upstreamFailure: 'overloaded' }));
  metrics.record(outcome({ status: 499, upstreamFailure: 'aborted' }));
  const series = await scrape(metrics);
  const errors = [...series].filter(([name]) => name.startsWith('postern_upstream_errors_total'));
  t.ok(errors.length > 0 && errors.every(([, count]) => count === 0));
  t.equal(series.get('postern_rejections_total{api="integration",key="web",reason="overloaded",mode="enforce"}'), 1);
});

t.test('events are counted by what became of them; in report mode nothing was cut out', async (t) => {
  const metrics = metricsOver(() => web);
  metrics.record(outcome({ forwardedEvents: 3, removedEvents: 2 }));
  metrics.record(outcome({ status: 403, refusal: refusal('event_not_allowed', 'no'), rejectedEvents: 4 }));
  metrics.record(outcome({ wouldReject: refusal('event_not_allowed', 'no'), forwardedEvents: 5, removedEvents: 5 }));
  const series = await scrape(metrics);
  t.equal(series.get('postern_events_total{key="web",outcome="forwarded"}'), 13);
  t.equal(series.get('postern_events_total{key="web",outcome="removed"}'), 2);
  t.equal(series.get('postern_events_total{key="web",outcome="rejected"}'), 4);
});

t.test('what names no key is counted as key ""', async (t) => {
  const metrics = metricsOver(() => web);
  metrics.record(outcome({ keyId: 'invented', secretId: 'abc', status: 401, refusal: credentialRefusal('unknown') }));
  metrics.record(outcome({ keyId: '', api: '', status: 404, refusal: refusal('no_route', 'no') }));
  const series = await scrape(metrics);
  t.equal(series.get('postern_requests_total{api="integration",key="",status="401"}'), 1);
  t.equal(series.get('postern_rejections_total{api="",key="",reason="no_route",mode="enforce"}'), 1);
  t.notOk([...series.keys()].some((name) => name.includes('invented') || name.includes('abc')));
});

t.test('before any keys are loaded, requests are counted all the same', async (t) => {
  const metrics = metricsOver(() => null);
  metrics.record(outcome({ keyId: '', status: 503, refusal: refusal('not_ready', 'starting') }));
  t.equal((await scrape(metrics)).get('postern_requests_total{api="integration",key="",status="503"}'), 1);
});

t.test('the series of a removed key end with it, the others go on', async (t) => {
  let keys: KeySnapshot = snapshot([key('web'), key('old')]);
  const metrics = metricsOver(() => keys);
  metrics.record(outcome());
  metrics.record(outcome({ keyId: 'old', secretId: 'old-secret' }));
  keys = snapshot([key('web')]);
  metrics.record(outcome({ keyId: 'old', secretId: 'old-secret' }));
  const series = await scrape(metrics);
  t.notOk([...series.keys()].some((name) => name.includes('key="old"')));
  t.equal(series.get('postern_requests_total{api="integration",key="web",status="204"}'), 1);
  t.equal(series.get('postern_requests_total{api="integration",key="",status="204"}'), 1);
});

t.test('the last use of a secret is shown until the secret is gone', async (t) => {
  let keys = snapshot([key('web', { secrets: [secret('aaa'), secret('bbb')] })]);
  const metrics = metricsOver(() => keys);
  const lastUsed = async (id: string) =>
    (await scrape(metrics)).get(`postern_secret_last_used_timestamp_seconds{key="web",secret="${id}"}`);
  t.equal(await lastUsed('aaa'), undefined);
  metrics.record(outcome({ secretId: 'aaa' }));
  metrics.record(outcome({ secretId: 'aaa', now: NOON + 1500 }));
  metrics.record(outcome({ secretId: 'bbb' }));
  t.equal(await lastUsed('aaa'), NOON / 1000 + 1.5);
  keys = snapshot([key('web', { secrets: [secret('bbb')] })]);
  t.equal(await lastUsed('aaa'), undefined);
  t.equal(await lastUsed('bbb'), NOON / 1000);
});

t.test('tokens, cache results and requests in flight', async (t) => {
  const metrics = metricsOver(() => snapshot([key('web'), key('numbers', { type: 'metrics' })]));
  metrics.record(outcome({ api: 'metrics', keyId: 'numbers', tokenIssued: true, status: 200 }));
  metrics.record(outcome({ api: 'metrics', keyId: 'numbers', cache: 'coalesced', status: 200 }));
  metrics.enter('metrics');
  metrics.enter('metrics');
  metrics.leave('metrics');
  const series = await scrape(metrics);
  t.equal(series.get('postern_tokens_issued_total{key="numbers"}'), 1);
  t.equal(series.has('postern_tokens_issued_total{key="web"}'), false);
  t.equal(series.has('postern_tokens_issued_total{key=""}'), false);
  t.equal(series.get('postern_cache_requests_total{result="coalesced"}'), 1);
  for (const result of ['hit', 'miss', 'stale', 'refresh', 'uncacheable'])
    t.equal(series.get(`postern_cache_requests_total{result="${result}"}`), 0, result);
  t.equal(series.get('postern_requests_in_flight{api="metrics"}'), 1);
  t.equal(series.get('postern_requests_in_flight{api="integration"}'), 0);
});

t.test('durations are observed by API, the upstream one only where something was dispatched', async (t) => {
  const metrics = metricsOver(() => web);
  metrics.record(outcome({ durationSeconds: 0.25, upstreamSeconds: 0.2 }));
  metrics.record(outcome({ durationSeconds: 0.001, status: 403, refusal: refusal('route_not_allowed', 'no') }));
  const series = await scrape(metrics);
  t.equal(series.get('postern_request_duration_seconds_count{api="integration"}'), 2);
  t.equal(series.get('postern_request_duration_seconds_bucket{api="integration",le="0.001"}'), 1);
  t.equal(series.get('postern_request_duration_seconds_sum{api="integration"}'), 0.251);
  t.equal(series.get('postern_upstream_duration_seconds_count{api="integration"}'), 1);
  t.equal(series.get('postern_upstream_duration_seconds_count{api="metrics"}'), 0);
});

t.test('with very many keys, one has series from its first request on', async (t) => {
  const many = snapshot(Array.from({ length: 1001 }, (_, n) => key(`k${n}`)));
  const metrics = metricsOver(() => many);
  const ofKeys = async (): Promise<string[]> =>
    [...(await scrape(metrics)).keys()].filter((name) => name.includes('key="k'));
  t.same(await ofKeys(), []);
  metrics.record(outcome({ keyId: 'k7' }));
  const series = await ofKeys();
  t.ok(series.length > 0);
  t.ok(series.every((name) => name.includes('key="k7"')));
  t.equal((await scrape(metrics)).get('postern_requests_total{api="integration",key="k7",status="204"}'), 1);
});

t.test('a thousand keys each have series before they are used', async (t) => {
  const metrics = metricsOver(() => snapshot(Array.from({ length: 1000 }, (_, n) => key(`k${n}`))), {
    apis: () => ['orders'],
  });
  const named = [...(await scrape(metrics)).keys()].filter((name) => /rejections_total.*key="k999"/.test(name));
  t.equal(named.length, 4);
});

t.test('series that begin at 0 are those of the APIs that a key is for, and bounded over all of them', async (t) => {
  const keys = snapshot([key('web'), key('numbers', { type: 'metrics' })]);
  const begun = async (metrics: Parameters<typeof scrape>[0]): Promise<string[]> =>
    [...(await scrape(metrics)).keys()].flatMap(
      (name) => /^postern_rejections_total\{(.*),reason="expired",mode="enforce"\}$/.exec(name)?.[1] ?? [],
    );
  t.same(await begun(metricsOver(() => keys, { apis: () => ['integration', 'orders', 'metrics'] })), [
    'api="integration",key="web"',
    'api="orders",key="web"',
    'api="metrics",key="numbers"',
  ]);
  const many = snapshot(Array.from({ length: 1000 }, (_, n) => key(`k${n}`)));
  const places = await begun(metricsOver(() => many, { apis: () => ['a', 'b', 'c'] }));
  t.equal(places.length, 2000);
});

t.test('without a scrape, no more than about two thousand keys that are gone are held', async (t) => {
  let looked = 0;
  let most = 0;
  let keys = snapshot([key('k')]);
  const metrics = metricsOver(() => keys);
  for (let n = 0; n < 2500; n++) {
    const { byId, ...rest } = snapshot([key(`k${n}`)]);
    const get = (id: string) => (looked++, byId.get(id));
    keys = { ...rest, byId: Object.assign(new Map(byId), { get }) };
    looked = 0;
    metrics.record(outcome({ keyId: `k${n}` }));
    most = Math.max(most, looked);
  }
  t.ok(most > 2000 && most < 2010, `${most} of them were looked at when they were let go`);
});

t.test('a request after a change of keys looks at its own key, however many there are', async (t) => {
  let looked = 0;
  const counting = () => {
    const { byId, ...rest } = snapshot(Array.from({ length: 2000 }, (_, n) => key(`k${n}`)));
    const get = (id: string) => (looked++, byId.get(id));
    return { ...rest, byId: Object.assign(new Map(byId), { get }) };
  };
  let keys = counting();
  const metrics = metricsOver(() => keys);
  for (let n = 0; n < 2000; n++) metrics.record(outcome({ keyId: `k${n}` }));
  keys = counting();
  looked = 0;
  for (let n = 0; n < 10; n++) metrics.record(outcome({ keyId: 'k7' }));
  t.equal(looked, 1);
  const series = await scrape(metrics);
  t.equal(series.get('postern_requests_total{api="integration",key="k7",status="204"}'), 11);
});

t.test('without a scrape, keys that come and go leave nothing behind', async (t) => {
  let keys = snapshot([key('web')]);
  const metrics = metricsOver(() => keys);
  for (let n = 0; n < 5000; n++) {
    keys = snapshot([key(`k${n}`)]);
    metrics.record(outcome({ keyId: `k${n}` }));
    metrics.record(outcome({ keyId: `k${n - 1}` }));
  }
  const series = await scrape(metrics);
  t.equal(series.get('postern_requests_total{api="integration",key="",status="204"}'), 5000);
  t.equal([...series.keys()].filter((name) => name.startsWith('postern_requests_total{')).length, 2);
});
