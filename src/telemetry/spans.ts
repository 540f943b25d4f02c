/**
 * Builds what makes spans of requests and exports them, from OpenTelemetry's packages and what its variables say. Registers
 * nothing globally. Known only to `start-tracing.ts`, which loads it when it is needed.
 */
import { randomUUID } from 'node:crypto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import { within } from '../lib/waiting.ts';
import { createExport, type ExportOptions } from './exporter.ts';
import { RequestSpan } from './request-span.ts';
import type { Tracing } from './tracing.ts';

export interface SpanOptions extends ExportOptions {
  readonly version: string;
}

/** Throws when a file that a variable names cannot be read. */
export async function createTracing({ version, ...options }: SpanOptions): Promise<Tracing> {
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(ownResource(version))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [await createExport(options)],
  });
  const tracer = provider.getTracer('postern', version);
  const { propagates } = options.settings;
  return {
    begin: (arrived) => new RequestSpan(arrived, { tracer, propagates }),
    close: async (ms) =>
      void (await within(
        ms,
        provider.shutdown().catch(() => undefined),
      )),
  };
}

/** What holds where the environment says nothing else. */
const ownResource = (version: string) =>
  resourceFromAttributes({
    [ATTR_SERVICE_NAME]: 'postern',
    [ATTR_SERVICE_VERSION]: version,
    [ATTR_SERVICE_INSTANCE_ID]: randomUUID(),
  });
