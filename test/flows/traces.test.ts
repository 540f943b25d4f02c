/** Each request as a span, and each call of a backend: what they say, to whom they belong, and what is never in them. */
import t from 'tap';
import { startCollector } from '../support/collector.ts';
import { SERVER_KEY, SERVER_SECRET, startFlow, WEB_KEY, written } from '../support/flow.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const TRACEPARENT = `traceparent: 00-${TRACE}-${CALLER}-01`;

t.test('spans of requests and of calls', async (t) => {
  const collector = await startCollector(t);
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url;
  process.env['OTEL_EXPORTER_OTLP_HEADERS'] = 'authorization=Bearer%20collector-secret';
  process.env['OTEL_RESOURCE_ATTRIBUTES'] = 'deployment.environment.name=test,service.name=other';
  process.env['OTEL_BSP_SCHEDULE_DELAY'] = '5';
  process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '60000';
  const { backend, postern, raw } = await startFlow(t, {
    keys: [SERVER_KEY, { ...WEB_KEY, mode: 'report', allowFrom: ['192.0.2.1'] }],
    respond: (req, res) => {
      if (req.url === '/broken') return void res.destroy();
      res.writeHead(req.url === '/absent' ? 404 : 200).end('{}');
    },
  });
  const serverSpan = (path: string) =>
    collector.span(({ kind, attributes }) => kind === 'server' && attributes['url.path'] === path);
  const callOf = (parent: { readonly spanId: string }) =>
    collector.span(({ kind, parentSpanId }) => kind === 'client' && parentSpanId === parent.spanId);
  const traceparentsAt = (path: string) => {
    const { rawHeaders = [] } = backend.requests.find(({ url }) => url.startsWith(path)) ?? {};
    return rawHeaders.filter((_, i) => rawHeaders[i - 1]?.toLowerCase() === 'traceparent');
  };

  await t.test('a request that passes continues the trace of its caller', async (t) => {
    const fields = ['Content-Type: application/json', TRACEPARENT, 'tracestate: vendor=1', 'X-Secret: in-a-header'];
    const body = '{"name":"in-a-body"}';
    t.equal((await raw(written({ target: '/event/ingest?in-a=query', fields, body }))).status, 200);
    const span = await serverSpan('/event/ingest');
    const call = await callOf(span);
    t.match(span, { name: 'POST /event/ingest', traceId: TRACE, parentSpanId: CALLER, isError: false });
    t.same(span.attributes, {
      'http.request.method': 'POST',
      'url.path': '/event/ingest',
      'url.scheme': 'http',
      'client.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'http.route': '/event/ingest',
      'http.response.status_code': 200,
      'postern.api': 'integration',
      'postern.key.id': 'server',
      'postern.mode': 'enforce',
    });
    t.match(call, { name: 'POST', traceId: TRACE, isError: false });
    t.same(call.attributes, {
      'http.request.method': 'POST',
      'server.address': '127.0.0.1',
      'server.port': backend.port,
      'url.full': `${backend.url}/event/ingest`,
      'http.response.status_code': 200,
    });
    t.same(traceparentsAt('/event/ingest'), [`00-${TRACE}-${call.spanId}-01`]);
    t.equal(backend.requests[0]?.headers['tracestate'], 'vendor=1');
    t.equal(span.resource['service.name'], 'other');
    t.equal(span.resource['service.version'], '0.0.0-test');
    t.equal(span.resource['deployment.environment.name'], 'test');
  });

  await t.test('a field that is invalid or repeated begins a new trace, without the state of another', async (t) => {
    const bad = [
      [`traceparent: 00-${TRACE.toUpperCase()}-${CALLER}-01`],
      [`traceparent: 00-${TRACE}-${CALLER}-01-more`],
      [`traceparent: ff-${TRACE}-${CALLER}-01`],
      [`traceparent: 00-${'0'.repeat(32)}-${CALLER}-01`],
      [TRACEPARENT, TRACEPARENT],
    ];
    for (const [i, fields] of bad.entries()) {
      const path = `/bad/${i}`;
      await raw(written({ method: 'GET', target: path, fields: [...fields, 'tracestate: vendor=1'] }));
      const span = await serverSpan(path);
      t.not(span.traceId, TRACE);
      t.match(span, { name: 'GET', parentSpanId: '' });
      t.same(traceparentsAt(path), [`00-${span.traceId}-${(await callOf(span)).spanId}-01`]);
      t.equal(backend.requests.find(({ url }) => url === path)?.headers['tracestate'], undefined);
    }
  });

  await t.test('what is refused has its reason, and calls nobody', async (t) => {
    await raw(written({ method: 'GET', target: '/refused', secret: 'nobody-has-this-secret' }));
    const refused = await serverSpan('/refused');
    t.match(refused, { isError: false });
    t.match(refused.attributes, {
      'http.response.status_code': 401,
      'postern.rejection.reason': 'unknown',
      'postern.mode': 'enforce',
    });
    t.equal(refused.attributes['postern.key.id'], undefined);
    t.equal(postern.lines.find(({ path }) => path === '/refused')?.['traceId'], refused.traceId);
    t.notOk(collector.spans.some(({ parentSpanId }) => parentSpanId === refused.spanId));
    await raw(written({ target: '/would-be-refused', secret: 'secret-of-the-web-key' }));
    const noted = await serverSpan('/would-be-refused');
    t.match(noted.attributes, {
      'http.response.status_code': 200,
      'postern.key.id': 'web',
      'postern.rejection.reason': 'ip_not_allowed',
      'postern.mode': 'report',
    });
  });

  await t.test('what fails at the backend is an error', async (t) => {
    await raw(written({ method: 'GET', target: '/broken' }));
    const span = await serverSpan('/broken');
    t.equal(span.isError, true);
    t.equal(span.attributes['error.type'], 'upstream_unreachable');
    t.equal(span.attributes['http.response.status_code'], 502);
    const call = await callOf(span);
    t.equal(call.isError, true);
    t.equal(call.attributes['error.type'], 'reset');
    await raw(written({ method: 'GET', target: '/absent' }));
    const absent = await serverSpan('/absent');
    t.equal(absent.isError, false);
    t.equal((await callOf(absent)).attributes['error.type'], '404');
  });

  await t.test('an upload that streams is a call as any other', async (t) => {
    const head = written({ method: 'PUT', target: '/upload', fields: ['Content-Length: 3', 'Connection: close'] });
    await raw(Buffer.concat([head, Buffer.from('abc')]));
    const span = await serverSpan('/upload');
    t.same(traceparentsAt('/upload'), [`00-${span.traceId}-${(await callOf(span)).spanId}-01`]);
  });

  await t.test('no header, query, body or secret is in it, nor a secret of the collector in the log', async (t) => {
    t.notMatch(collector.text(), /in-a-header|in-a=query|in-a-body|vendor=1|secret-of|nobody-has/);
    t.equal(collector.exports[0]?.['authorization'], 'Bearer collector-secret');
    t.equal(collector.exports[0]?.['content-type'], 'application/x-protobuf');
    t.equal(collector.paths[0], '/v1/traces');
    t.notMatch(postern.logText(), /collector-secret/);
    t.notMatch(postern.logText(), SERVER_SECRET);
  });

  await t.test('a kept answer calls nobody; many who wait for one answer share one call', async (t) => {
    const cached = await startFlow(t, {
      keys: [{ ...SERVER_KEY, type: 'read-only' }],
      api: { cache: { store: 'memory' }, routes: [{ method: 'GET', path: '/kept', cacheMinutes: 1 }] },
      respond: (_req, res) => void res.writeHead(200, { 'Content-Length': 2 }).end('{}'),
    });
    const ask = () => cached.raw(written({ method: 'GET', target: '/kept' }));
    await Promise.all([ask(), ask()]);
    await ask();
    const { port } = cached.backend;
    const answers = () => collector.spans.filter(({ attributes }) => attributes['url.path'] === '/kept');
    const calls = () => collector.spans.filter(({ attributes }) => attributes['server.port'] === port);
    // Exports may come in another order than they were sent in.
    while (answers().length < 3 || calls().length < 1) await collector.nextExport();
    t.equal(calls().length, cached.backend.requests.length);
    t.equal(cached.backend.requests.length, 1);
  });
});
