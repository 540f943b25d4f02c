/**
 * The scrape in the OpenMetrics format 1.0.0, for whoever asks for it by `Accept`: made from the Prometheus text format, with the
 * same series under the same names, so that a store sees no difference. It never reads or changes a value.
 */

export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const MEDIA_TYPE = 'application/openmetrics-text';
/** What also lets the older format through. */
const TEXT_RANGES: readonly string[] = ['text/plain', 'text/*', '*/*'];

/**
 * Whether an `Accept` field names OpenMetrics, without a version or with 1.0.0, and likes no other format of a scrape better
 * (RFC 9110 12.5.1). A range such as `*` names nothing: it gets what it always got.
 */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  let open = 0;
  let text = 0;
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const version = valueOf(parameters, 'version') ?? '1.0.0';
    if (type === MEDIA_TYPE && version === '1.0.0') open = Math.max(open, weightOf(parameters));
    else if (TEXT_RANGES.includes(type)) text = Math.max(text, weightOf(parameters));
  }
  return open > 0 && open >= text;
}

/**
 * Of a scrape in the Prometheus text format 0.0.4, whose counters all end in `_total`: families lose that ending, samples keep it.
 * Parts are whole lines, and hold all comments on a family or none.
 */
export async function* toOpenMetrics(parts: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const part of parts) yield familiesIn(part);
  yield '# EOF\n';
}

function familiesIn(part: string): string {
  const lines = part.split('\n').filter((line) => line !== '');
  const counters = new Set(lines.flatMap((line) => /^# TYPE (\S+)_total counter$/.exec(line)?.[1] ?? []));
  return lines.map((line) => `${familyLine(line, counters)}\n`).join('');
}

function familyLine(line: string, counters: ReadonlySet<string>): string {
  const found = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
  if (found === null) return line;
  const [, word, name = '', rest = ''] = found;
  const family = name.replace(/_total$/, '');
  // Here, unlike in the older format, quotation marks are escaped in help texts too.
  return `# ${word} ${counters.has(family) ? family : name} ${rest.replaceAll('"', '\\"')}`;
}

/** `q`, which is 1 where it is not given; what is not a number from 0 to 1 counts as 0. */
function weightOf(parameters: readonly string[]): number {
  const weight = Number(valueOf(parameters, 'q') ?? 1);
  return weight >= 0 && weight <= 1 ? weight : 0;
}

function valueOf(parameters: readonly string[], name: string): string | undefined {
  const found = parameters.find((parameter) => parameter.startsWith(`${name}=`));
  return found?.slice(name.length + 1).replaceAll('"', '');
}
