import t, { type Test } from 'tap';
import { readSettings, type Environment } from '../../src/telemetry/settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.test:4318' };

function on(env: Environment) {
  const read = readSettings({ ...ENDPOINT, ...env });
  if (read.kind !== 'on') throw new Error(`not on: ${JSON.stringify(read)}`);
  return read;
}

function off(t: Test, env: Environment): void {
  t.same(readSettings(env), { kind: 'off' }, JSON.stringify(env));
}

t.test('without an endpoint, or when told so, there are no traces', (t) => {
  off(t, {});
  off(t, { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' });
  off(t, { OTEL_SERVICE_NAME: 'a', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  off(t, { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' });
  off(t, { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' });
  off(t, { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'console' });
  t.end();
});

t.test('either endpoint switches them on, with the defaults of the specification', (t) => {
  t.same(on({}), {
    kind: 'on',
    ignored: [],
    settings: {
      protocol: 'http/protobuf',
      batching: {
        maxQueueSize: 2048,
        maxExportBatchSize: 512,
        scheduledDelayMillis: 5000,
        exportTimeoutMillis: 30_000,
      },
      propagates: true,
      timeoutMs: 10_000,
    },
  });
  t.equal(readSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector.test/traces' }).kind, 'on');
  t.equal(on({ OTEL_SDK_DISABLED: 'false', OTEL_TRACES_EXPORTER: 'console, otlp' }).kind, 'on');
  t.end();
});

t.test('what is given holds; the variable of traces goes before that of everything', (t) => {
  const { settings } = on({
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    OTEL_BSP_MAX_QUEUE_SIZE: '10',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '20',
    OTEL_BSP_SCHEDULE_DELAY: '0',
    OTEL_BSP_EXPORT_TIMEOUT: '7',
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '200',
    OTEL_PROPAGATORS: 'b3',
  });
  t.same(settings, {
    protocol: 'http/json',
    batching: { maxQueueSize: 10, maxExportBatchSize: 10, scheduledDelayMillis: 0, exportTimeoutMillis: 7 },
    propagates: false,
    timeoutMs: 200,
  });
  t.equal(on({ OTEL_PROPAGATORS: 'baggage,tracecontext' }).settings.propagates, true);
  t.end();
});

t.test('a value that cannot be used is named by its variable alone, and the default holds', (t) => {
  const { ignored, settings } = on({
    OTEL_BSP_MAX_QUEUE_SIZE: '-1',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '0',
    OTEL_BSP_SCHEDULE_DELAY: 'soon',
    OTEL_BSP_EXPORT_TIMEOUT: '1e3',
    OTEL_EXPORTER_OTLP_TIMEOUT: 'Infinity',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd',
    OTEL_TRACES_SAMPLER: 'sometimes',
  });
  t.same([...ignored].sort(), [
    'OTEL_BSP_EXPORT_TIMEOUT',
    'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    'OTEL_BSP_MAX_QUEUE_SIZE',
    'OTEL_BSP_SCHEDULE_DELAY',
    'OTEL_EXPORTER_OTLP_COMPRESSION',
    'OTEL_EXPORTER_OTLP_TIMEOUT',
    'OTEL_TRACES_SAMPLER',
  ]);
  t.same(settings, on({}).settings);
  const ratio = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' };
  t.same(on(ratio).ignored, []);
  for (const usual of ['none', 'gzip']) t.same(on({ OTEL_EXPORTER_OTLP_COMPRESSION: usual }).ignored, []);
  t.same(on({ ...ratio, OTEL_TRACES_SAMPLER_ARG: '0.25' }).ignored, []);
  t.same(on({ ...ratio, OTEL_TRACES_SAMPLER_ARG: '25' }).ignored, ['OTEL_TRACES_SAMPLER_ARG']);
  t.same(on({ OTEL_RESOURCE_ATTRIBUTES: 'a=b,,c=' }).ignored, []);
  for (const bad of ['a', 'a=b=c', '=b', 'a=%zz', `a=${'x'.repeat(256)}`])
    t.same(on({ OTEL_RESOURCE_ATTRIBUTES: bad }).ignored, ['OTEL_RESOURCE_ATTRIBUTES'], bad);
  t.end();
});

t.test('numbers have a least and a longest form, and values may have spaces around them', (t) => {
  const names = ['MAX_QUEUE_SIZE', 'MAX_EXPORT_BATCH_SIZE', 'EXPORT_TIMEOUT'].map((name) => `OTEL_BSP_${name}`);
  for (const name of [...names, 'OTEL_EXPORTER_OTLP_TIMEOUT', 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT']) {
    for (const text of ['1', ' 999999999 ']) t.same(on({ [name]: text }).ignored, [], `${name} ${text}`);
    for (const text of ['0', '1000000000', '1x', 'x1']) t.same(on({ [name]: text }).ignored, [name], `${name} ${text}`);
  }
  t.same(on({ OTEL_BSP_SCHEDULE_DELAY: '0' }).ignored, []);
  const ratio = { OTEL_TRACES_SAMPLER: 'traceidratio' };
  for (const share of ['0', '1']) t.same(on({ ...ratio, OTEL_TRACES_SAMPLER_ARG: share }).ignored, [], share);
  t.same(on({ ...ratio, OTEL_TRACES_SAMPLER_ARG: '-0.1' }).ignored, ['OTEL_TRACES_SAMPLER_ARG']);
  const compression = { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' };
  t.same(on({ ...compression, OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'zstd' }).ignored, [
    'OTEL_EXPORTER_OTLP_COMPRESSION',
  ]);
  const longest = `${'n'.repeat(255)}=${'v'.repeat(255)}`;
  t.same(on({ OTEL_RESOURCE_ATTRIBUTES: `${longest}, b=c` }).ignored, []);
  t.same(on({ OTEL_RESOURCE_ATTRIBUTES: `n${longest}` }).ignored, ['OTEL_RESOURCE_ATTRIBUTES']);
  t.end();
});

t.test('what asks for traces in a way that is not there is told in words without a value', (t) => {
  const why = (env: Environment) => {
    const read = readSettings({ ...ENDPOINT, ...env });
    return read.kind === 'unusable' ? read.why : read.kind;
  };
  t.equal(
    why({ OTEL_EXPORTER_OTLP_ENDPOINT: 'user:secret@host' }),
    'OTEL_EXPORTER_OTLP_ENDPOINT is not an http:// or https:// URL',
  );
  t.equal(
    why({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'grpc://secret' }),
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not an http:// or https:// URL',
  );
  t.equal(
    why({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }),
    'OTEL_EXPORTER_OTLP_PROTOCOL is neither http/protobuf nor http/json',
  );
  t.end();
});

t.test('each sampler of the specification is known, and nothing but a URL of HTTP is an endpoint', async (t) => {
  const ratios = ['traceidratio', 'parentbased_traceidratio'];
  const others = ['always_on', 'always_off', 'parentbased_always_on', 'parentbased_always_off'];
  for (const sampler of [...ratios, ...others]) {
    t.same(on({ OTEL_TRACES_SAMPLER: sampler }).ignored, [], sampler);
    const odd = on({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: '1.1' }).ignored;
    t.same(odd, ratios.includes(sampler) ? ['OTEL_TRACES_SAMPLER_ARG'] : [], sampler);
  }
  for (const url of ['xhttp://a', 'ftp://a', 'collector:4318', 'http//a'])
    t.equal(readSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: url }).kind, 'unusable', url);
});
