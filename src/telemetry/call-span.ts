/**
 * One call of a backend as a client span, from its dispatch to the end of its answer, by OpenTelemetry's semantic conventions for
 * HTTP. The backend is told of it by `traceparent`. Changes nothing else of request and answer.
 */
import { SpanKind, SpanStatusCode, TraceFlags, type Context, type Span, type Tracer } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions';
import { withoutField } from '../lib/header-list.ts';
import { writeTraceparent } from '../lib/trace-context.ts';
import type { Dispatch, Flight, ResponseSink, UpstreamRequest } from '../upstream/dispatch.ts';
import type { Upstream } from '../upstream/pool.ts';
import { methodAttributes, spanNameOf } from './method.ts';

export interface SpanMaker {
  readonly tracer: Tracer;
  /** Traces are taken over from callers and handed on to backends. */
  readonly propagates: boolean;
}

export interface CallOptions extends SpanMaker {
  /** With the span of the request that the call is made for. */
  readonly context: Context;
  /** The trace was begun by the caller, whose `tracestate` belongs to it. */
  readonly continues: boolean;
  /** As it may be shown: without a query, and without a key. */
  readonly path: string;
}

/** Dispatches with a span around it. */
export function dispatchAsSpan(dispatch: Dispatch, args: Parameters<Dispatch>, options: CallOptions): Flight {
  const [upstream, request, sink] = args;
  const { method } = request;
  const attributes = { ...methodAttributes(method), ...backendAttributes(upstream, options.path) };
  const span = options.tracer.startSpan(
    spanNameOf(method, null),
    { kind: SpanKind.CLIENT, attributes },
    options.context,
  );
  const headers = options.propagates ? headersOf(span, request, options.continues) : request.headers;
  return dispatch(upstream, { ...request, headers }, watched(sink, span));
}

/** A state without the trace that it belongs to says nothing (W3C Trace Context 3.3). */
function headersOf(span: Span, { headers }: UpstreamRequest, continues: boolean): readonly string[] {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const others = withoutField(headers, 'traceparent');
  const traceparent = writeTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 });
  return [...(continues ? others : withoutField(others, 'tracestate')), 'traceparent', traceparent];
}

/** The parts of a backend's address; read once for each backend. */
const backends = new WeakMap<Upstream, { readonly address: string; readonly port: number }>();

function backendAttributes(upstream: Upstream, path: string) {
  let backend = backends.get(upstream);
  if (backend === undefined) {
    const { hostname, port, protocol } = new URL(upstream.origin);
    const address = hostname.replace(/^\[(.*)\]$/, '$1');
    backend = { address, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
    backends.set(upstream, backend);
  }
  return {
    [ATTR_SERVER_ADDRESS]: backend.address,
    [ATTR_SERVER_PORT]: backend.port,
    [ATTR_URL_FULL]: upstream.origin + path,
  };
}

/** The sink, with the span told what becomes of the call. */
function watched(sink: ResponseSink, span: Span): ResponseSink {
  let error: string | null = null;
  const end = (): void => {
    if (error !== null) {
      span.setAttribute(ATTR_ERROR_TYPE, error);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  };
  return {
    onResponse(status, headers, statusText) {
      span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
      if (status >= 400) error = String(status);
      sink.onResponse(status, headers, statusText);
    },
    onData: (chunk) => sink.onData(chunk),
    onEnd(trailers) {
      end();
      sink.onEnd(trailers);
    },
    onFailure(failure) {
      error = failure.kind;
      end();
      sink.onFailure(failure);
    },
  };
}
