import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-base';
import t, { type Test } from 'tap';
import type { Flight, ResponseSink, UpstreamRequest } from '../../src/upstream/dispatch.ts';
import { failureOf } from '../../src/upstream/failure.ts';
import type { Upstream } from '../../src/upstream/pool.ts';
import { upstreamTo } from '../support/upstream.ts';
import { spanBench, type SpanBench } from '../support/spans.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

interface Called {
  readonly headers: readonly string[];
  readonly sink: ResponseSink;
  readonly calls: string[];
}

/** What a dispatch is given, and what then reaches the sink that was given first. */
function call(t: Test, bench: SpanBench, { traceparent = PARENT, origin = 'http://[::1]:8080' } = {}): Called {
  const calls: string[] = [];
  const given: ResponseSink = {
    onResponse: (status) => void calls.push(`response ${status}`),
    onData: (chunk) => calls.push(`data ${chunk.toString()}`) === 0,
    onEnd: () => void calls.push('end'),
    onFailure: ({ kind }) => void calls.push(`failure ${kind}`),
  };
  const request: UpstreamRequest = {
    method: 'GET',
    target: '/a?q=1',
    headers: ['A', 'b', 'TraceParent', traceparent, 'tracestate', 'v=1'],
    host: 'backend',
    body: null,
    contentLength: null,
    holder: '',
  };
  let headers: readonly string[] = [];
  let sink = given;
  const dispatch = (_upstream: Upstream, sent: UpstreamRequest, watched: ResponseSink): Flight => {
    headers = sent.headers;
    sink = watched;
    t.equal(sent.target, '/a?q=1');
    return { abort: () => {}, resume: () => {} };
  };
  bench.begin(traceparent).dispatchBy(dispatch, '/a?q=1')(upstreamTo(t, origin), request, given);
  return { headers, sink, calls };
}

t.test('the backend is told of the call, and the sink gets everything', (t) => {
  const bench = spanBench();
  const { headers, sink, calls } = call(t, bench);
  sink.onResponse(200, [], 'OK');
  t.equal(sink.onData(Buffer.from('x')), false);
  t.equal(bench.spans().length, 0);
  sink.onEnd([]);
  t.same(calls, ['response 200', 'data x', 'end']);
  const [span] = bench.spans();
  t.same(headers, ['A', 'b', 'tracestate', 'v=1', 'traceparent', `00-${TRACE}-${span?.spanContext().spanId}-01`]);
  t.match(span, { name: 'GET', kind: 2, status: { code: 0 } });
  t.same(span?.attributes, {
    'http.request.method': 'GET',
    'server.address': '::1',
    'server.port': 8080,
    'url.full': 'http://[::1]:8080/a',
    'http.response.status_code': 200,
  });
  t.end();
});

t.test('the port is that of the scheme where none is written', (t) => {
  const bench = spanBench();
  for (const origin of ['https://backend.test', 'http://backend.test', 'https://backend.test:8443'])
    call(t, bench, { origin }).sink.onEnd([]);
  const told = bench.spans().map(({ attributes }) => [attributes['server.address'], attributes['server.port']]);
  t.same(told, [
    ['backend.test', 443],
    ['backend.test', 80],
    ['backend.test', 8443],
  ]);
  t.end();
});

t.test('failures and refusals of the backend are errors of the call', (t) => {
  const bench = spanBench();
  const failed = call(t, bench);
  failed.sink.onFailure(failureOf('connect_timeout', 'why'));
  t.same(failed.calls, ['failure connect_timeout']);
  const refused = call(t, bench);
  refused.sink.onResponse(429, [], '');
  refused.sink.onEnd([]);
  const errors = bench.spans().map(({ status, attributes }) => [status.code, attributes['error.type']]);
  t.same(errors, [
    [2, 'connect_timeout'],
    [2, '429'],
  ]);
  t.end();
});

t.test('the state of a trace that is not continued stays behind; what is not kept says so', (t) => {
  const fresh = call(t, spanBench(), { traceparent: 'nothing' }).headers;
  t.same(fresh.slice(0, 3), ['A', 'b', 'traceparent']);
  t.match(fresh[3], /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  const unkept = call(t, spanBench({ sampler: new AlwaysOffSampler() })).headers;
  t.match(unkept.at(-1), new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  t.same(call(t, spanBench({ propagates: false })).headers, ['A', 'b', 'TraceParent', PARENT, 'tracestate', 'v=1']);
  t.end();
});
