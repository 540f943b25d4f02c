/**
 * The generated tables of docs/metrics.md and docs/refusals.md. A test holds each page equal to its table; with
 * POSTERN_WRITE_DOCS=1 in the environment the test writes the page instead.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { METRICS } from '../../src/observability/metric-definitions.ts';
import type { MetricDefinition } from '../../src/observability/metric-definitions.ts';
import { REFUSALS } from '../../src/refusal.ts';

const START = '<!-- generated: POSTERN_WRITE_DOCS=1 npm test -->\n<!-- prettier-ignore-start -->\n';
const END = '<!-- prettier-ignore-end -->\n';

export function metricsTable(): string {
  const rows = Object.entries<MetricDefinition>(METRICS).map(([name, { type, labels, help }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return table(['metric', 'type', 'labels', 'what it tells'], rows);
}

export function refusalsTable(): string {
  const rows = Object.entries(REFUSALS).map(([code, { status, detail, level }]) => [
    `\`${code}\``,
    String(status),
    detail,
    level,
    reasonsOf(code),
  ]);
  return table(['code', 'status', 'what the caller reads', 'log level', 'reason in log and metrics'], rows);
}

/** One code tells callers nothing of what the operator may know. Upstream failures are counted as such. */
function reasonsOf(code: string): string {
  if (code === 'invalid_credential') return '`unknown`, `disabled`, `expired`';
  if (code === 'upstream_unreachable' || code === 'upstream_timeout') return 'none: an upstream error';
  return `\`${code}\``;
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(line).join('');
}

/** The table that a page holds, and the one that it should. */
export function compared(page: string, wanted: string): { readonly found: string; readonly wanted: string } {
  const text = readFileSync(page, 'utf8');
  const start = text.indexOf(START);
  const end = text.indexOf(END, start);
  if (start === -1 || end === -1) throw new Error(`${page} has no place for its generated table`);
  const found = text.slice(start + START.length, end);
  if (process.env['POSTERN_WRITE_DOCS'] !== '1') return { found, wanted };
  writeFileSync(page, text.slice(0, start + START.length) + wanted + text.slice(end));
  return { found: wanted, wanted };
}
