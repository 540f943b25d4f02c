import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import { createRecorder } from '../../src/observability/outcome.ts';
import type { Outcome } from '../../src/observability/outcome.ts';
import { createRecentRejections } from '../../src/observability/recent-rejections.ts';
import { createSummary } from '../../src/observability/summary.ts';
import { refusal } from '../../src/refusal.ts';
import { metricsOver, textOf } from '../support/metrics.ts';
import { credentialRefusal, key, outcome, snapshot } from '../support/outcomes.ts';
import { alertExpressions, dashboardExpressions, startPrometheus } from '../support/prometheus.ts';

/** A bad day: everything that a panel shows or an alert waits for happens between two scrapes. */
const BAD_DAY: readonly Outcome[] = [
  outcome({ secretId: 'web-secret', upstreamSeconds: 0.001, forwardedEvents: 3, removedEvents: 1 }),
  outcome({ status: 403, refusal: refusal('ip_not_allowed', 'x') }),
  outcome({ status: 403, refusal: refusal('event_not_allowed', 'x'), rejectedEvents: 1 }),
  outcome({ wouldReject: refusal('rate_limited', 'x') }),
  outcome({ keyId: 'old', status: 401, refusal: credentialRefusal('expired') }),
  outcome({ keyId: '', status: 401, refusal: credentialRefusal('unknown') }),
  outcome({ keyId: '', api: '', status: 404, refusal: refusal('no_route', 'x') }),
  outcome({ status: 502, refusal: refusal('upstream_unreachable', 'x'), upstreamFailure: 'connect' }),
  outcome({ api: 'metrics', keyId: 'numbers', status: 200, tokenIssued: true }),
  outcome({ api: 'metrics', keyId: '', status: 401, refusal: refusal('invalid_client', 'x') }),
  outcome({ api: 'metrics', keyId: 'numbers', status: 200, cache: 'miss', upstreamSeconds: 4 }),
  outcome({ api: 'metrics', keyId: 'numbers', status: 504, upstreamFailure: 'header_timeout', cache: 'miss' }),
];

/** Enough for what an alert calls a rise, in the second or two that the test takes. */
const REQUESTS_A_SCRAPE = 50;

/** Serves metrics of the bad day, which goes on with each scrape: `host:port`, and what ends it. */
async function badDay(t: Test): Promise<{ readonly target: string; readonly end: () => void }> {
  const tomorrow = Date.now() + 86_400_000;
  let scrapes = 0;
  const keys = snapshot([
    key('web', { expiresAt: tomorrow }),
    key('old', { expiresAt: 0 }),
    key('numbers', { type: 'metrics' }),
  ]);
  const metrics = metricsOver(() => keys, {
    now: Date.now,
    keySource: () => ({ up: false, lastSyncAt: Date.now() - 3_600_000, invalidDefinitions: 1 }),
    config: () => ({ lastReloadSuccessful: false, lastLoaded: Date.now() - 60_000 }),
    cache: () => ({ bytes: 4096, entries: 2 }),
    redisUp: { cache: () => false, rate_limit: () => false, observe: () => false },
    addressLists: () => [{ name: 'office', up: false, entries: 3, lastSuccessAt: Date.now() - 60_000 }],
    certificates: () => [{ name: 'listen', expiresAt: tomorrow, isCurrent: false }],
    enforcement: () => [{ name: 'integration', enforcement: 'report' }],
    connections: async () => 10,
    limits: { connections: 10, requestsInFlight: 1 },
    signInFailures: () => scrapes * REQUESTS_A_SCRAPE,
    logLinesDropped: () => scrapes,
  });
  metrics.enter('integration');
  const record = createRecorder({
    metrics,
    log: { rejection: () => {}, upstreamFailure: () => {}, request: () => {} },
    recent: createRecentRejections(),
    summary: createSummary(Date.now()),
    logging: { requests: 'none', sample: 1 },
    random: () => 0,
  });
  const server = createServer((_request, response) => {
    scrapes++;
    for (let i = 0; i < REQUESTS_A_SCRAPE; i++) BAD_DAY.forEach(record);
    response.setHeader('content-type', metrics.contentType);
    void textOf(metrics.parts()).then((text) => response.end(text));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = (): void => {
    server.closeAllConnections();
    server.close();
  };
  t.teardown(end);
  return { target: `127.0.0.1:${(server.address() as AddressInfo).port}`, end };
}

t.test('every expression of the dashboard and of the alerts finds its series in a real scrape', async (t) => {
  // The second ends: for the alert about an instance that cannot be scraped.
  const [running, ended] = [await badDay(t), await badDay(t)];
  const prometheus = await startPrometheus(t, [running.target, ended.target]);
  await prometheus.until('count(count_over_time(postern_build_info[1m]) >= 5) == 2');
  ended.end();
  await prometheus.until(`up{instance="${ended.target}"} == 0`);
  const panels = dashboardExpressions();
  const alerts = alertExpressions();
  t.ok(panels.length > 25);
  t.ok(alerts.length > 5);
  for (const { title, expr } of [...panels, ...alerts]) {
    const series = await prometheus.until(expr);
    t.ok(series.length > 0, `${title}: ${expr}`);
    // A NaN would mean that the expression finds series, and never the ones it divides by.
    t.notOk(
      series.every(({ value }) => value[1] === 'NaN'),
      `${title} has a value`,
    );
  }
});
