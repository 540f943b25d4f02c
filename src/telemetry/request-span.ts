/**
 * One request as a server span, by OpenTelemetry's semantic conventions for HTTP. Of what its client sent, method and path alone
 * are in it: no query, header or body.
 */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Context } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
} from '@opentelemetry/semantic-conventions';
import { readTraceparent, type TraceParent } from '../lib/trace-context.ts';
import { loggablePath, rejectionIn, type Outcome } from '../observability/outcome.ts';
import type { Dispatch } from '../upstream/dispatch.ts';
import { dispatchAsSpan, type SpanMaker } from './call-span.ts';
import { methodAttributes, spanNameOf } from './method.ts';
import type { ArrivedRequest, EndedRequest, RequestTrace } from './tracing.ts';

export class RequestSpan implements RequestTrace {
  readonly traceId: string;
  readonly #maker: SpanMaker;
  readonly #span: Span;
  readonly #context: Context;
  /** The trace was begun by the caller. */
  readonly #continues: boolean;

  constructor({ method, headers }: ArrivedRequest, maker: SpanMaker) {
    const parent = maker.propagates ? readTraceparent(headers.traceparent) : null;
    const before = parent === null ? ROOT_CONTEXT : contextOf(parent);
    const options = { kind: SpanKind.SERVER, attributes: methodAttributes(method) };
    this.#maker = maker;
    this.#span = maker.tracer.startSpan(spanNameOf(method, null), options, before);
    this.#context = trace.setSpan(before, this.#span);
    this.#continues = parent !== null;
    this.traceId = this.#span.spanContext().traceId;
  }

  dispatchBy(dispatch: Dispatch, path: string): Dispatch {
    return (upstream, request, sink) =>
      dispatchAsSpan(dispatch, [upstream, request, sink], {
        ...this.#maker,
        context: this.#context,
        continues: this.#continues,
        path: loggablePath(path),
      });
  }

  end(ended: EndedRequest): void {
    const span = this.#span;
    if (span.isRecording()) describe(span, ended);
    span.end();
  }
}

const contextOf = ({ traceId, spanId, sampled }: TraceParent): Context =>
  trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });

function describe(span: Span, ended: EndedRequest): void {
  const { outcome, answered, route, scheme, httpVersion } = ended;
  span.updateName(spanNameOf(outcome.method, route));
  span.setAttributes({
    [ATTR_URL_PATH]: loggablePath(outcome.path),
    [ATTR_URL_SCHEME]: scheme,
    [ATTR_CLIENT_ADDRESS]: outcome.clientIp,
    [ATTR_NETWORK_PROTOCOL_VERSION]: httpVersion,
  });
  if (route !== null) span.setAttribute(ATTR_HTTP_ROUTE, route);
  if (answered) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, outcome.status);
  describeVerdict(span, ended);
  const error = errorIn(outcome, answered);
  if (error === null) return;
  span.setAttribute(ATTR_ERROR_TYPE, error);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function describeVerdict(span: Span, { outcome, mode }: EndedRequest): void {
  const rejection = rejectionIn(outcome);
  if (outcome.api !== '') span.setAttribute('postern.api', outcome.api);
  if (outcome.keyId !== '') span.setAttribute('postern.key.id', outcome.keyId);
  if (rejection !== null) span.setAttribute('postern.rejection.reason', rejection.reason);
  const rejectedIn = rejection === outcome.refusal ? 'enforce' : 'report';
  span.setAttribute('postern.mode', rejection === null ? mode : rejectedIn);
}

/** What counts as an error of a server: not that a client asked for what it may not have. */
function errorIn({ status, refusal, aborted }: Outcome, answered: boolean): string | null {
  if (!answered || (aborted && refusal === null)) return 'client_gone';
  return status < 500 && !aborted ? null : (refusal?.code ?? String(status));
}
