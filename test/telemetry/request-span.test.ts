import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-base';
import t from 'tap';
import type { EndedRequest } from '../../src/telemetry/tracing.ts';
import { refusal } from '../../src/refusal.ts';
import { credentialRefusal, outcome } from '../support/outcomes.ts';
import { spanBench } from '../support/spans.ts';

const ended = (change: Partial<EndedRequest> = {}): EndedRequest => ({
  outcome: outcome(),
  answered: true,
  scheme: 'https',
  httpVersion: '1.1',
  route: null,
  mode: 'enforce',
  ...change,
});

function endedAs(change: Partial<EndedRequest>) {
  const { begin, spans } = spanBench();
  begin().end(ended(change));
  const [span] = spans();
  if (span === undefined) throw new Error('no span');
  return { name: span.name, status: span.status.code, attributes: span.attributes };
}

const UNSET = 0;
const ERROR = 2;

t.test('a request is a span named by its route', (t) => {
  t.equal(endedAs({ route: '/event/ingest' }).name, 'POST /event/ingest');
  t.equal(endedAs({}).name, 'POST');
  t.same(endedAs({ route: '/event/ingest' }).attributes, {
    'http.request.method': 'GET',
    'url.path': '/event/ingest',
    'url.scheme': 'https',
    'client.address': '203.0.113.7',
    'network.protocol.version': '1.1',
    'http.route': '/event/ingest',
    'http.response.status_code': 204,
    'postern.api': 'integration',
    'postern.key.id': 'web',
    'postern.mode': 'enforce',
  });
  t.end();
});

t.test('a path is bounded, and never has a query', (t) => {
  const path = endedAs({ outcome: outcome({ path: `/${'a'.repeat(5000)}?secret=1` }) }).attributes['url.path'];
  t.equal(String(path).length, 1025);
  t.notMatch(path, 'secret');
  t.end();
});

t.test('refusals have their reason and the mode in which they were made; they are no errors of the server', (t) => {
  const refused = endedAs({ outcome: outcome({ status: 401, refusal: credentialRefusal('expired'), keyId: '' }) });
  t.equal(refused.status, UNSET);
  t.match(refused.attributes, { 'postern.rejection.reason': 'expired', 'postern.mode': 'enforce' });
  t.equal(refused.attributes['postern.key.id'], undefined);
  const noted = endedAs({ outcome: outcome({ wouldReject: refusal('ip_not_allowed', 'why') }), mode: 'report' });
  t.match(noted.attributes, { 'postern.rejection.reason': 'ip_not_allowed', 'postern.mode': 'report' });
  const enforced = endedAs({
    outcome: outcome({ status: 503, refusal: refusal('overloaded', 'why') }),
    mode: 'report',
  });
  t.match(enforced.attributes, { 'postern.mode': 'enforce', 'error.type': 'overloaded' });
  t.equal(endedAs({ mode: 'report' }).attributes['postern.mode'], 'report');
  t.end();
});

t.test('what fails is an error, and says how', (t) => {
  const errorOf = (change: Partial<EndedRequest>) => {
    const { status, attributes } = endedAs(change);
    return [status, attributes['error.type'], attributes['http.response.status_code']];
  };
  const failure = refusal('upstream_timeout', 'why');
  t.same(errorOf({ outcome: outcome({ status: 504, refusal: failure }) }), [ERROR, 'upstream_timeout', 504]);
  t.same(errorOf({ outcome: outcome({ status: 500 }) }), [ERROR, '500', 500]);
  t.same(errorOf({ outcome: outcome({ status: 404 }) }), [UNSET, undefined, 404]);
  t.same(errorOf({ outcome: outcome({ status: 499 }), answered: false }), [ERROR, 'client_gone', undefined]);
  t.same(errorOf({ outcome: outcome({ status: 200, aborted: true }) }), [ERROR, 'client_gone', 200]);
  t.same(errorOf({ outcome: outcome({ status: 200, aborted: true, refusal: failure }) }), [
    ERROR,
    'upstream_timeout',
    200,
  ]);
  t.end();
});

t.test('a trace is continued where the caller says one, and its word on keeping it holds', (t) => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const said = (flags: string) => `00-${trace}-00f067aa0ba902b7-${flags}`;
  const continued = (bench = spanBench(), flags = '01') => {
    const span = bench.begin(said(flags));
    span.end(ended());
    return { traceId: span.traceId, kept: bench.spans().length };
  };
  t.same(continued(), { traceId: trace, kept: 1 });
  t.same(continued(spanBench(), '00'), { traceId: trace, kept: 0 });
  t.same(continued(spanBench({ sampler: new AlwaysOffSampler() })), { traceId: trace, kept: 0 });
  t.not(continued(spanBench({ propagates: false })).traceId, trace);
  t.match(spanBench().begin().traceId, /^(?!0{32})[0-9a-f]{32}$/);
  t.end();
});
