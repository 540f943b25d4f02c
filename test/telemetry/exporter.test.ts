import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { createLog } from '../../src/observability/log.ts';
import { startTracing } from '../../src/telemetry/start-tracing.ts';
import { startCollector } from '../support/collector.ts';
import { outcome } from '../support/outcomes.ts';

const ENDED = {
  outcome: outcome(),
  answered: true,
  scheme: 'http',
  httpVersion: '1.1',
  route: null,
  mode: 'enforce',
} as const;

/** Exports one span, by what the environment of the process says besides. */
async function exportOne(env: Record<string, string>): Promise<string> {
  const lines: string[] = [];
  const log = createLog({ level: 'info', now: Date.now, destination: { write: (line) => lines.push(line) } });
  Object.assign(process.env, env);
  const tracing = await startTracing({ env: process.env, version: '1.2.3', log });
  tracing?.begin({ method: 'GET', headers: { traceparent: undefined } }).end(ENDED);
  await tracing?.close(60_000);
  for (const name of Object.keys(env)) delete process.env[name];
  return lines.join('');
}

t.test('a host name is found as those of backends are; JSON, compression and other variables hold', async (t) => {
  const collector = await startCollector(t);
  const log = await exportOne({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://localhost:${collector.port}/own/path`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_SERVICE_NAME: 'front',
  });
  t.match(log, /^\{.*"detail":"spans are exported by http\/json","msg":"tracing_on"\}\n$/);
  t.match(collector.exports[0], { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  t.same(collector.paths, ['/own/path']);
  t.match(collector.spans, [{ name: 'POST', resource: { 'service.name': 'front', 'service.version': '1.2.3' } }]);
});

t.test('without a name of its own the service is postern', async (t) => {
  const collector = await startCollector(t);
  await exportOne({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const { resource } = collector.spans[0] ?? {};
  t.equal(resource?.['service.name'], 'postern');
  t.match(resource?.['service.instance.id'], /^[0-9a-f-]{36}$/);
});

t.test('a sampler that keeps nothing exports nothing', async (t) => {
  const collector = await startCollector(t);
  await exportOne({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER: 'always_off' });
  t.equal(collector.exports.length, 0);
});

t.test('a secret that no header can hold is not in the log', async (t) => {
  const collector = await startCollector(t);
  const log = await exportOne({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret%0aof-the-collector',
  });
  t.match(log, /ERR_INVALID_CHAR.*traces_not_exported/);
  t.notMatch(log, 'of-the-collector');
});

t.test('a connection that says nothing is given up', async (t) => {
  const server = net.createServer((socket) => socket.resume().on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const log = await exportOne({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
  });
  server.close();
  t.match(log, /Request timed out.*traces_not_exported/);
});
