import { readFileSync } from 'node:fs';
import t from 'tap';
import { UPSTREAM_ERROR_KINDS } from '../../src/observability/request-counters.ts';
import { REFUSALS } from '../../src/refusal.ts';
import { dashboardExpressions } from '../support/prometheus.ts';
import { compared, metricsTable, refusalsTable } from '../support/reference-tables.ts';

t.test('docs/metrics.md holds the table of metrics as it is', async (t) => {
  const { found, wanted } = compared('docs/metrics.md', metricsTable());
  t.equal(found, wanted);
});

t.test('docs/metrics.md names every kind of upstream error', async (t) => {
  const page = readFileSync('docs/metrics.md', 'utf8');
  for (const kind of UPSTREAM_ERROR_KINDS) t.match(page, `\`${kind}\``);
});

t.test('docs/refusals.md holds the table of refusals as it is', async (t) => {
  const { found, wanted } = compared('docs/refusals.md', refusalsTable());
  t.equal(found, wanted);
});

t.test('docs/refusals.md says what to do about each code', async (t) => {
  const page = readFileSync('docs/refusals.md', 'utf8');
  for (const code of Object.keys(REFUSALS)) t.match(page, `\n| \`${code}\` | `, code);
  for (const code of Object.keys(REFUSALS))
    t.ok(page.split(`\n| \`${code}\` `).length === 3, `${code}: table and advice`);
});

t.test('the dashboard shows report mode apart from refusals', async (t) => {
  const rejections = dashboardExpressions().filter(({ expr }) => expr.includes('postern_rejections_total'));
  t.ok(rejections.some(({ expr }) => expr.includes('mode="report"')));
  t.ok(rejections.every(({ expr }) => /mode="|by \([^)]*\bmode\)/.test(expr)));
});
