/** Spans in memory, for tests of what makes them. */
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan, Sampler } from '@opentelemetry/sdk-trace-base';
import type { SpanMaker } from '../../src/telemetry/call-span.ts';
import { RequestSpan } from '../../src/telemetry/request-span.ts';

export interface SpanBench {
  readonly begin: (traceparent?: string, method?: string) => RequestSpan;
  /** Those that have ended. */
  readonly spans: () => ReadableSpan[];
}

export function spanBench(change: Partial<SpanMaker> & { readonly sampler?: Sampler } = {}): SpanBench {
  const { sampler, ...maker } = change;
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(memory)],
    ...(sampler === undefined ? {} : { sampler }),
  });
  const tracer = provider.getTracer('test');
  return {
    begin: (traceparent, method = 'GET') =>
      new RequestSpan({ method, headers: { traceparent } }, { tracer, propagates: true, ...maker }),
    spans: () => memory.getFinishedSpans(),
  };
}
