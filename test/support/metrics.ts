/** Metrics over hand-made sources, and a reader of single series of a scrape. */
import type { KeySnapshot } from '../../src/keys/key.ts';
import { createMetrics } from '../../src/observability/prometheus.ts';
import type { Metrics, MetricSources } from '../../src/observability/prometheus.ts';
import { NOON } from './outcomes.ts';

const APIS = ['integration', 'metrics'];

export function metricsOver(keys: () => KeySnapshot | null, change: Partial<MetricSources> = {}): Metrics {
  return createMetrics({
    version: '1.2.3',
    node: 'v20.0.0',
    sources: {
      now: () => NOON,
      keys,
      apis: () => APIS,
      keySource: () => ({ up: true, lastSyncAt: NOON, invalidDefinitions: 0 }),
      addressLists: () => [],
      config: () => ({ lastReloadSuccessful: true, lastLoaded: NOON }),
      certificates: () => [],
      enforcement: () => [],
      connections: async () => 0,
      limits: { connections: 10_000, requestsInFlight: 4096 },
      signInFailures: () => 0,
      cache: () => null,
      redisUp: { cache: () => null, rate_limit: () => null, observe: () => null },
      logLinesDropped: () => 0,
      observedTruncated: () => new Map(),
      ...change,
    },
  });
}

/** A scrape as one text. */
export async function textOf(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

/** The series of a scrape: `name{labels}` as written, to its value. */
export async function scrape(metrics: Pick<Metrics, 'parts'>): Promise<Map<string, number>> {
  const lines = (await textOf(metrics.parts())).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
