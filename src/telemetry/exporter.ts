/**
 * Sends finished spans to a collector by OTLP over HTTP, through OpenTelemetry's own packages. Tells the log when it begins and
 * ends to fail, without a word of what the collector or the environment says: both may hold secrets. Keeps nothing for later.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { BatchSpanProcessor, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createLookup } from '../lib/lookup.ts';
import type { Log } from '../observability/log.ts';
import type { Environment, Protocol, TelemetrySettings } from './settings.ts';

export interface ExportOptions {
  readonly settings: TelemetrySettings;
  readonly env: Environment;
  readonly log: Log;
}

/** Exports that may be under way: each holds a batch, and of an answer that does not end up to 4 MB. */
const MAX_EXPORTS = 4;

/** Takes spans that have ended; when too many wait, further ones are lost. Throws when a file of a certificate cannot be read. */
export async function createExport({ settings, env, log }: ExportOptions): Promise<SpanProcessor> {
  const Exporter = await loadExporter(settings.protocol);
  const exporter = new Exporter({
    concurrencyLimit: MAX_EXPORTS,
    timeoutMillis: settings.timeoutMs,
    httpAgentOptions: agentFactory(settings, env),
  });
  return new BatchSpanProcessor(telling(exporter, log), settings.batching);
}

async function loadExporter(protocol: Protocol) {
  return protocol === 'http/json'
    ? (await import('@opentelemetry/exporter-trace-otlp-http')).OTLPTraceExporter
    : (await import('@opentelemetry/exporter-trace-otlp-proto')).OTLPTraceExporter;
}

/** Connections whose name is found without the threads of getaddrinfo(3), and that do not wait for ever to be opened. */
function agentFactory({ timeoutMs }: TelemetrySettings, env: Environment): (protocol: string) => http.Agent {
  const file = (name: string): Buffer | undefined => {
    const path = env[`OTEL_EXPORTER_OTLP_TRACES_${name}`]?.trim() || env[`OTEL_EXPORTER_OTLP_${name}`]?.trim();
    return path === undefined || path === '' ? undefined : readFileSync(path);
  };
  const options = { keepAlive: true, timeout: timeoutMs, lookup: lookupForSockets() };
  const [ca, cert, key] = [file('CERTIFICATE'), file('CLIENT_CERTIFICATE'), file('CLIENT_KEY')];
  const secure = {
    ...options,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  return (protocol) => (protocol === 'https:' ? new https.Agent(secure) : new http.Agent(options));
}

/** Our own way to find a name, in the form that sockets of Node ask for. */
function lookupForSockets(): LookupFunction {
  const lookup = createLookup();
  const find = callbackify(async (host: string) =>
    (await lookup(host)).map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })),
  );
  return (host, { all }, callback) =>
    find(host, (error: NodeJS.ErrnoException | null, addresses) => {
      const [first] = addresses ?? [];
      if (first === undefined) callback(error, '');
      else if (all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
}

/** The exporter, with a line in the log for the first export that fails, and for the first one after it that does not. */
function telling(exporter: SpanExporter, log: Log): SpanExporter {
  let failing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !failing) log.warn('traces_not_exported', { detail: reasonOf(result.error) });
        if (!failed && failing) log.info('traces_exported_again');
        failing = failed;
        done(result);
      });
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

/** What the packages say by themselves; any other text may quote a header or an answer. */
const KNOWN_TEXTS: ReadonlySet<string> = new Set([
  'Request timed out',
  'Export failed with retryable status',
  'Concurrent export limit reached',
]);

function reasonOf(error: Error | undefined): string {
  const { code, message = '' } = (error ?? {}) as { readonly code?: unknown; readonly message?: string };
  if (typeof code === 'number') return `the collector answered ${code}`;
  if (typeof code === 'string') return code;
  return KNOWN_TEXTS.has(message) ? message : 'the export failed';
}
