/**
 * A real Prometheus for tests: scrapes the targets it is given on loopback, keeps its data in the test's folder and ends with the test.
 * Also reads the expressions of the shipped dashboard and alert rules, ready to be asked.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { parse } from 'yaml';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { requireTool } from './tools.ts';

export interface Prometheus {
  /**
   * Resolves when an expression gives at least one series, with what it gives; a scrape may fail on a machine that is busy. Throws
   * what the query API calls an error.
   */
  readonly until: (expr: string) => Promise<readonly Series[]>;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface Expression {
  /** The panel or the alert it stands in. */
  readonly title: string;
  readonly expr: string;
}

/** `targets`: `host:port` of what answers GET /metrics. They are scraped as the job `postern`, five times a second. */
export async function startPrometheus(t: Test, targets: readonly string[]): Promise<Prometheus> {
  const program = requireTool('prometheus', 'prometheus');
  const folder = t.testdir({
    'prometheus.yml': JSON.stringify({
      // A busy machine may not answer sooner, and a scrape that is too late finds nothing.
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [{ job_name: 'postern', static_configs: [{ targets }] }],
    }),
  });
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const child = spawn(program, [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    if (await isReady(child)) {
      t.teardown(() => ended(child));
      return client(`http://127.0.0.1:${port}`);
    }
    // Somebody else may have taken the port meanwhile.
    if (attempt === 3) throw new Error('Prometheus does not start.');
  }
}

/** Prometheus says on its standard error that it is ready; it ends before that when it cannot start. */
async function isReady(child: ChildProcess): Promise<boolean> {
  if (child.stderr === null) return false;
  for await (const line of createInterface({ input: child.stderr })) {
    if (!line.includes('Server is ready to receive web requests')) continue;
    child.stderr.resume();
    return true;
  }
  return false;
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill();
  await exit;
}

function client(url: string): Prometheus {
  const query = async (expr: string): Promise<readonly Series[]> => {
    const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: expr }) });
    const answer = (await response.json()) as { status: string; error?: string; data?: { result: readonly Series[] } };
    if (answer.status !== 'success' || answer.data === undefined) throw new Error(`${expr}: ${answer.error}`);
    return answer.data.result;
  };
  return {
    until: (expr) =>
      eventually(async () => {
        const series = await query(expr);
        return series.length > 0 && series;
      }, `Prometheus to have an answer to: ${expr}`),
  };
}

interface Panel {
  readonly title: string;
  readonly panels?: readonly Panel[];
  readonly targets?: readonly { readonly expr: string }[];
}

/** Every expression of the shipped dashboard, its variables replaced as Grafana would with everything selected. */
export function dashboardExpressions(): readonly Expression[] {
  const text = readFileSync(resolve('config/grafana/dashboards/postern.json'), 'utf8');
  const { panels } = JSON.parse(text) as { panels: readonly Panel[] };
  const of = (panel: Panel): readonly Expression[] => [
    ...(panel.targets ?? []).map(({ expr }) => ({ title: panel.title, expr: selected(expr) })),
    ...(panel.panels ?? []).flatMap(of),
  ];
  return panels.flatMap(of);
}

function selected(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range', '1m')
    .replaceAll(/\$(instance|api|key)\b/g, '.*');
}

/** Every expression of the shipped alert rules. */
export function alertExpressions(): readonly Expression[] {
  const text = readFileSync(resolve('config/prometheus/postern.rules.yml'), 'utf8');
  const { groups } = parse(text) as { groups: readonly { rules: readonly { alert: string; expr: string }[] }[] };
  return groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ title: alert, expr })));
}
