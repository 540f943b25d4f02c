/**
 * Writes series in the Prometheus text format 0.0.4, in parts: very many keys have hundreds of thousands of series, and requests have
 * their turn between two parts. Counts nothing.
 */
import { setImmediate } from 'node:timers/promises';
import type { MetricDefinition, Sample } from './metric-definitions.ts';

/** A metric, and how its series are read. */
export interface Family extends Pick<MetricDefinition, 'type' | 'help'> {
  readonly name: string;
  readonly samples: ReadSamples;
}

export type ReadSamples = () => Iterable<Sample> | Promise<Iterable<Sample>>;

/** Written in about a millisecond. */
const SERIES_A_PART = 1000;

/** Each part is whole lines, and the comments on a family are in one. An empty line ends a family. */
export async function* writeFamilies(families: readonly Family[]): AsyncGenerator<string> {
  for (const { name, help, type, samples } of families) {
    let text = `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
    let series = 0;
    for (const sample of await samples()) {
      text += `${sample.metricName ?? name}${labelsOf(sample)} ${valueOf(sample)}\n`;
      series += 1;
      if (series % SERIES_A_PART !== 0) continue;
      yield text;
      text = '';
      await setImmediate();
    }
    yield `${text}\n`;
  }
}

function labelsOf({ labels }: Sample): string {
  const written = Object.entries(labels).map(([name, value]) => `${name}="${quoted(String(value))}"`);
  return written.length === 0 ? '' : `{${written.join(',')}}`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const quoted = (text: string): string => (/[\\\n"]/.test(text) ? escaped(text).replaceAll('"', '\\"') : text);

function valueOf({ value }: Sample): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
