/** OpenTelemetry's SDK and exporters are in the process only when somebody asks for traces. prom-client brings the API. */
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createLog } from '../../src/observability/log.ts';
import { startTracing } from '../../src/telemetry/start-tracing.ts';
import { startFlow, written } from '../support/flow.ts';

const loaded = (): string[] =>
  Object.keys(createRequire(import.meta.url).cache).filter((file) => /@opentelemetry\/(?!api\/)/.test(file));

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://user:endpoint-secret@127.0.0.1:9' };

t.test('what is loaded, and what is said', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLog({ level: 'info', now: Date.now, destination });
  const start = (env: Record<string, string>) => startTracing({ env, version: '1', log });

  await t.test('a sidecar that serves without the variables loads none of them', async (t) => {
    for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];
    const { raw } = await startFlow(t);
    t.equal((await raw(written({}))).status, 204);
    t.same(loaded(), []);
  });

  await t.test('nor does one that is told not to, or told what cannot be', async (t) => {
    t.equal(await start({ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }), null);
    t.same(lines, []);
    t.equal(await start({ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }), null);
    t.match(lines.pop(), { level: 'warn', msg: 'tracing_off', detail: /OTEL_EXPORTER_OTLP_PROTOCOL/ });
    t.same(loaded(), []);
  });

  await t.test('a certificate that cannot be read switches traces off, and stops nothing', async (t) => {
    const missing = join(t.testdir(), 'missing.pem');
    t.equal(await start({ ...ENDPOINT, OTEL_EXPORTER_OTLP_CERTIFICATE: missing }), null);
    t.match(lines.pop(), { level: 'warn', msg: 'tracing_off', detail: /ENOENT/ });
    t.notMatch(JSON.stringify(lines), 'endpoint-secret');
  });

  await t.test('with an endpoint they are there, and a setting that is ignored is named', async (t) => {
    const ca = join(t.testdir(), 'ca.pem');
    writeFileSync(ca, '');
    const tracing = await start({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
      OTEL_BSP_MAX_QUEUE_SIZE: 'many',
    });
    t.ok(tracing);
    t.match(lines.pop(), { level: 'info', msg: 'tracing_on' });
    t.match(lines.pop(), { level: 'warn', msg: 'tracing_setting_ignored', variable: 'OTEL_BSP_MAX_QUEUE_SIZE' });
    t.ok(loaded().length > 0);
    await tracing?.close(1000);
  });
});
