import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import t from 'tap';
import { createLog } from '../../src/observability/log.ts';
import { startTracing } from '../../src/telemetry/start-tracing.ts';
import { startCollector } from '../support/collector.ts';
import { eventually } from '../support/eventually.ts';
import { outcome } from '../support/outcomes.ts';
import { upstreamTlsFixture } from '../support/tls-files.ts';

const ENDED = {
  outcome: outcome(),
  answered: true,
  scheme: 'http',
  httpVersion: '1.1',
  route: null,
  mode: 'enforce',
} as const;

/** Exports one span, by what the environment of the process says besides; or several, one after the other. */
async function exportOne(env: Record<string, string>, times = 1): Promise<string> {
  const lines: string[] = [];
  const log = createLog({ level: 'info', now: Date.now, destination: { write: (line) => lines.push(line) } });
  Object.assign(process.env, env);
  const tracing = await startTracing({ env: process.env, version: '1.2.3', log });
  for (let n = 0; n < times; n++) tracing?.begin({ method: 'GET', headers: { traceparent: undefined } }).end(ENDED);
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

t.test('a host name is found where Node asks for one address alone', async (t) => {
  const collector = await startCollector(t);
  const asksForAll = net.getDefaultAutoSelectFamily();
  net.setDefaultAutoSelectFamily(false);
  t.teardown(() => net.setDefaultAutoSelectFamily(asksForAll));
  await exportOne({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://localhost:${collector.port}` });
  t.equal(collector.spans.length, 1);
});

t.test('a host name that cannot be found costs the spans, and nothing else', async (t) => {
  const log = await exportOne({
    // No name server is asked for it: a part of a name has 63 letters at most.
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${'a'.repeat(64)}.test:4318`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '300',
  });
  t.match(log, /"detail":"EAI_AGAIN","msg":"traces_not_exported"/);
});

t.test('without a name of its own the service is postern', async (t) => {
  const collector = await startCollector(t);
  await exportOne({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const { resource } = collector.spans[0] ?? {};
  t.equal(resource?.['service.name'], 'postern');
  t.match(resource?.['service.instance.id'], /^[0-9a-f-]{36}$/);
  t.equal(resource?.['service.version'], '1.2.3');
  t.equal(collector.spans[0]?.scope, 'postern 1.2.3');
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

t.test('a collector is believed by the CA that is named, and shown the certificate that is named', async (t) => {
  const pem = (name: string): Buffer => readFileSync(upstreamTlsFixture(name));
  const own = { cert: pem('loopback'), key: pem('loopback-key') };
  const mutual = await startCollector(t, undefined, {
    ...own,
    ca: pem('client-ca'),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const [ca, cert, key] = ['ca', 'client', 'client-key'].map(upstreamTlsFixture) as [string, string, string];
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: mutual.url, OTEL_EXPORTER_OTLP_TIMEOUT: '2000' };
  const pair = { OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: cert, OTEL_EXPORTER_OTLP_CLIENT_KEY: key };
  t.match(await exportOne({ ...endpoint, ...pair }), /traces_not_exported/, 'of a CA that nobody named');
  t.match(
    await exportOne({ ...endpoint, OTEL_EXPORTER_OTLP_CERTIFICATE: ca }),
    /traces_not_exported/,
    'without a pair',
  );
  t.equal(mutual.spans.length, 0);
  await exportOne({ ...endpoint, ...pair, OTEL_EXPORTER_OTLP_CERTIFICATE: ` ${ca} ` });
  t.equal(mutual.spans.length, 1);
  await exportOne({
    ...endpoint,
    OTEL_EXPORTER_OTLP_CERTIFICATE: upstreamTlsFixture('client-ca'),
    OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: ` ${ca} `,
    OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: cert,
    OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: key,
  });
  t.equal(mutual.spans.length, 2, 'what is said of traces is stronger');
});

t.test('few exports are under way at once, and what finds no place is told', async (t) => {
  const held: (() => void)[] = [];
  const collector = await startCollector(t, (res) => void held.push(() => res.writeHead(200).end()));
  const exported = exportOne(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1',
      OTEL_BSP_SCHEDULE_DELAY: '9999',
    },
    8,
  );
  await eventually(() => held.length === 4, 'four exports have come');
  for (const answer of held) answer();
  t.match(await exported, /Concurrent export limit reached.*traces_not_exported/);
  t.equal(collector.spans.length, 4);
});

t.test('a collector that fails is told once, and once when it works again', async (t) => {
  const statuses = [400, 503, 400, 200, 200];
  const collector = await startCollector(t, (res) => void res.writeHead(statuses.shift() ?? 200).end());
  const lines: string[] = [];
  const log = createLog({ level: 'info', now: Date.now, destination: { write: (line) => lines.push(line) } });
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '1',
    OTEL_EXPORTER_OTLP_TIMEOUT: '300',
  };
  Object.assign(process.env, env);
  const tracing = await startTracing({ env: process.env, version: '1.2.3', log });
  while (statuses.length > 0) {
    const { length } = statuses;
    tracing?.begin({ method: 'GET', headers: { traceparent: undefined } }).end(ENDED);
    await eventually(() => statuses.length < length, 'it was exported');
  }
  await tracing?.close(5000);
  for (const name of Object.keys(env)) delete process.env[name];
  const told = lines.map((line) => JSON.parse(line) as { msg: string; detail?: string });
  t.same(
    told.map(({ msg }) => msg),
    ['tracing_on', 'traces_not_exported', 'traces_exported_again'],
  );
  t.equal(told[1]?.detail, 'the collector answered 400');
});
