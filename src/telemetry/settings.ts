/**
 * What the environment asks for, by OpenTelemetry's own variables: whether traces are exported, how, and how much may wait. The
 * variables that are not read here (endpoint, headers, sampler, resource) are read by OpenTelemetry's packages. Pure, and
 * shows no value of a variable: some are secrets.
 */
import { isPercentEncoded } from '../lib/percent-decoding.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** As `OTEL_EXPORTER_OTLP_PROTOCOL` calls them. */
export type Protocol = 'http/protobuf' | 'http/json';

/** How spans wait for their export (`OTEL_BSP_...`). */
export interface Batching {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
}

export interface TelemetrySettings {
  readonly protocol: Protocol;
  readonly batching: Batching;
  /** Traces are taken over from callers and handed on to backends (`OTEL_PROPAGATORS`). */
  readonly propagates: boolean;
  /** Of one attempt to export, in milliseconds. */
  readonly timeoutMs: number;
}

/** `off`: nobody asks for traces. `unusable`: somebody does, and it cannot be; `why` is a sentence. */
export type ReadSettings =
  | { readonly kind: 'off' }
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'on'; readonly settings: TelemetrySettings; readonly ignored: readonly string[] };

const TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';

const SAMPLERS: ReadonlySet<string> = new Set([
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
]);

/** `ignored` of the result: the variables whose value cannot be used, so that the default holds. */
export function readSettings(env: Environment): ReadSettings {
  const given = (name: string): string | null => env[name]?.trim() || null;
  const endpoint = given(TRACES_ENDPOINT) === null ? ENDPOINT : TRACES_ENDPOINT;
  const url = given(endpoint);
  if (url === null || isTrue(given('OTEL_SDK_DISABLED'))) return { kind: 'off' };
  if (!listIn(given('OTEL_TRACES_EXPORTER') ?? 'otlp').includes('otlp')) return { kind: 'off' };
  if (!isHttp(url)) return { kind: 'unusable', why: `${endpoint} is not an http:// or https:// URL` };
  const protocol = given('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? given('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== null && protocol !== 'http/protobuf' && protocol !== 'http/json')
    return { kind: 'unusable', why: 'OTEL_EXPORTER_OTLP_PROTOCOL is neither http/protobuf nor http/json' };
  const ignored: string[] = [];
  const number = numbersIn(given, ignored);
  const settings = {
    protocol: protocol ?? 'http/protobuf',
    batching: readBatching(number),
    propagates: listIn(given('OTEL_PROPAGATORS') ?? 'tracecontext').includes('tracecontext'),
    timeoutMs: number('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', number('OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, 1), 1),
  } as const;
  const sampler = given('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  if (!SAMPLERS.has(sampler)) ignored.push('OTEL_TRACES_SAMPLER');
  if (sampler.endsWith('traceidratio') && !isShare(given('OTEL_TRACES_SAMPLER_ARG') ?? '1'))
    ignored.push('OTEL_TRACES_SAMPLER_ARG');
  const compression = given('OTEL_EXPORTER_OTLP_TRACES_COMPRESSION') ?? given('OTEL_EXPORTER_OTLP_COMPRESSION');
  if (!['none', 'gzip', null].includes(compression)) ignored.push('OTEL_EXPORTER_OTLP_COMPRESSION');
  if (!areAttributes(given('OTEL_RESOURCE_ATTRIBUTES') ?? '')) ignored.push('OTEL_RESOURCE_ATTRIBUTES');
  return { kind: 'on', settings, ignored };
}

type Given = (name: string) => string | null;
type ReadNumber = (name: string, otherwise: number, least: number) => number;

const numbersIn =
  (given: Given, ignored: string[]): ReadNumber =>
  (name, otherwise, least) => {
    const text = given(name);
    if (text === null) return otherwise;
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    ignored.push(name);
    return otherwise;
  };

/** A batch of none would be exported for ever, and a queue of none would take no span. */
function readBatching(number: ReadNumber): Batching {
  const maxQueueSize = number('OTEL_BSP_MAX_QUEUE_SIZE', 2048, 1);
  return {
    maxQueueSize,
    maxExportBatchSize: Math.min(number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, 1), maxQueueSize),
    scheduledDelayMillis: number('OTEL_BSP_SCHEDULE_DELAY', 5000, 0),
    exportTimeoutMillis: number('OTEL_BSP_EXPORT_TIMEOUT', 30_000, 1),
  };
}

/** As OpenTelemetry's detector of them takes it: one that is wrong spoils all. */
const areAttributes = (text: string): boolean =>
  text.split(',').every((part) => part.trim() === '' || /^[^=]{1,255}=[^=]{0,255}$/.test(part.trim())) &&
  isPercentEncoded(text);

const listIn = (text: string): string[] => text.split(',').map((part) => part.trim().toLowerCase());

const isTrue = (text: string | null): boolean => text?.toLowerCase() === 'true';

const isHttp = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

const isShare = (text: string): boolean => Number(text) >= 0 && Number(text) <= 1;
