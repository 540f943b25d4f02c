/**
 * A collector of traces for tests: takes OTLP over HTTP, as protobuf or JSON, and reads it with OpenTelemetry's own protobuf
 * definitions. It can also answer an error, or not at all.
 */
import { EventEmitter, once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { KEPT } from './backend.ts';

type Value = string | number | boolean | undefined;

export interface CollectedSpan {
  readonly name: string;
  readonly kind: 'server' | 'client';
  readonly traceId: string;
  readonly spanId: string;
  /** '' of a root. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly isError: boolean;
  readonly resource: Readonly<Record<string, Value>>;
  /** Who made it: name and version. */
  readonly scope: string;
}

export interface Collector {
  readonly url: string;
  readonly port: number;
  /** The header fields of each export. */
  readonly exports: IncomingMessage['headers'][];
  readonly paths: string[];
  readonly spans: CollectedSpan[];
  /** Everything received, as text, for what must not be in it. */
  readonly text: () => string;
  /** Resolves with the first span, past or to come, that `matches`. */
  readonly span: (matches: (span: CollectedSpan) => boolean) => Promise<CollectedSpan>;
  /** Resolves when one more export has come. */
  readonly nextExport: () => Promise<unknown>;
}

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

/**
 * Starts one on a free loopback port; it ends with the test. `answer`: what it does once an export has come whole. `tls`: it
 * speaks TLS, as localhost.
 */
export async function startCollector(
  t: Disposer,
  answer: (res: ServerResponse) => void = (res) => void res.writeHead(200).end(),
  tls: https.ServerOptions | null = null,
): Promise<Collector> {
  const exports: Collector['exports'] = [];
  const paths: string[] = [];
  const spans: CollectedSpan[] = [];
  const received: Buffer[] = [];
  const told = new EventEmitter();
  const take = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await buffer(req);
    const plain = req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    exports.push(req.headers);
    paths.push(req.url ?? '');
    received.push(plain);
    spans.push(...spansIn(plain, req.headers['content-type'] ?? ''));
    answer(res);
    told.emit('export');
  };
  const listener = (req: IncomingMessage, res: ServerResponse): void => void take(req, res);
  const server = tls === null ? http.createServer(KEPT, listener) : https.createServer({ ...KEPT, ...tls }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: tls === null ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    port,
    exports,
    paths,
    spans,
    text: () => Buffer.concat(received).toString('latin1'),
    nextExport: () => once(told, 'export'),
    span: async (matches) => {
      for (;;) {
        const found = spans.find(matches);
        if (found !== undefined) return found;
        await once(told, 'export');
      }
    },
  };
}

interface Attribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: number | string;
    readonly boolValue?: boolean;
  };
}

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version?: string };
      readonly spans: readonly {
        readonly name: string;
        readonly kind: number | string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly attributes: readonly Attribute[];
        readonly status?: { readonly code?: number | string };
      }[];
    }[];
  }[];
}

interface MessageType {
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly toObject: (message: unknown, options: object) => Exported;
}

const { opentelemetry } = createRequire(import.meta.url)('otlp-protobuf/build/src/generated/root.js') as {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: { readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: MessageType } } };
    };
  };
};

const REQUEST = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

function spansIn(body: Buffer, contentType: string): CollectedSpan[] {
  const exported = contentType === 'application/json' ? (JSON.parse(body.toString()) as Exported) : decoded(body);
  return exported.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map(({ name, kind, traceId, spanId, parentSpanId = '', attributes, status }) => ({
        name,
        kind: kind === 2 ? ('server' as const) : ('client' as const),
        traceId,
        spanId,
        parentSpanId,
        attributes: asRecord(attributes),
        isError: status?.code === 2,
        resource: asRecord(resource.attributes),
        scope: `${scope.name} ${scope.version}`,
      })),
    ),
  );
}

/** The ids are bytes in protobuf, hex digits in JSON. */
function decoded(body: Buffer): Exported {
  const plain = REQUEST.toObject(REQUEST.decode(body), { longs: Number, defaults: false });
  return JSON.parse(
    JSON.stringify(plain, (_key, value: unknown) => (isBytes(value) ? Buffer.from(value.data).toString('hex') : value)),
  ) as Exported;
}

const isBytes = (value: unknown): value is { readonly data: readonly number[] } =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';

const asRecord = (attributes: readonly Attribute[]): Record<string, Value> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? (value.intValue === undefined ? undefined : Number(value.intValue)),
    ]),
  );
