/**
 * The one table of a run, as Markdown that also reads well in a terminal, and the verdict of a comparison of two revisions.
 */
import type { Comparison, Row } from './scenario.ts';
import { spreadOf } from './statistics.ts';

const HEAD = ['', 'what', 'figure', 'req/s', 'p99 ms', 'compared', 'median', 'quartiles', 'must', 'aim', ''] as const;

/** Quartiles further apart than this tell more of the machine than of the programs. */
const NOISY = 1.25;

/** A build costs more than before when even the lower quartile of its ratios lies above this. */
const REGRESSION = 1.03;

export function tableOf(rows: readonly Row[]): string {
  return format([HEAD, ...rows.flatMap(linesOf)]);
}

/** The comparisons in which the first revision costs more, beyond what the rounds differ among themselves. */
export function regressions(rows: readonly Row[]): string[] {
  return rows.flatMap(({ scenario, comparisons }) =>
    comparisons
      .filter(({ values, unit }) => unit === undefined && spreadOf(values).lowerQuartile > REGRESSION)
      .map(({ between, values }) => `${scenario}, ${between}: ${spreadOf(values).median.toFixed(2)}`),
  );
}

function linesOf({ scenario, what, figure, requestsPerSecond, p99Millis, comparisons }: Row): string[][] {
  const own = [
    scenario,
    what,
    figure,
    requestsPerSecond === undefined ? '' : requestsPerSecond.toFixed(0),
    p99Millis === undefined ? '' : p99Millis.toFixed(1),
  ];
  const [first, ...others] = comparisons.map(cellsOf);
  return [[...own, ...(first ?? cellsOf(null))], ...others.map((cells) => ['', '', '', '', '', ...cells])];
}

function cellsOf(comparison: Comparison | null): string[] {
  if (comparison === null) return ['', '', '', '', '', ''];
  const { between, values, unit = '', must, aim } = comparison;
  const { median, lowerQuartile, upperQuartile } = spreadOf(values);
  const number = (value: number): string => (unit === '' ? value.toFixed(2) : `${value.toFixed(0)} ${unit}`);
  return [
    between,
    number(median),
    values.length === 1 ? '' : `${number(lowerQuartile)}–${number(upperQuartile)}`,
    ...[must, aim].map((limit) => (limit === undefined ? '' : number(limit))),
    [verdict(median, must, aim), upperQuartile / lowerQuartile > NOISY ? 'noisy' : ''].filter(Boolean).join(', '),
  ];
}

function verdict(median: number, must: number | undefined, aim: number | undefined): string {
  if (must === undefined) return '';
  if (median > must) return 'MISSED';
  return aim !== undefined && median > aim ? 'met' : 'aim met';
}

/** Columns as wide as their widest cell. */
function format(lines: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const padded = lines.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return `${[padded[0], rule, ...padded.slice(1)].join('\n')}\n`;
}
