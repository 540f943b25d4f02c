import { Registry, type Metric } from 'prom-client';
import t from 'tap';
import { writeFamilies, type Family } from '../../src/observability/exposition.ts';
import type { Sample } from '../../src/observability/metric-definitions.ts';
import { textOf } from '../support/metrics.ts';

const family = (name: string, samples: readonly Sample[], help = 'Helps.'): Family => ({
  name,
  type: 'gauge',
  help,
  samples: () => samples,
});

t.test('what is written is what another writer of the format writes', async (t) => {
  const families = [
    family('none', []),
    family('a', [
      { labels: {}, value: 1 },
      { labels: { key: 'x', status: 204 }, value: 1e21 },
      { labels: { key: 'q"u\\o\nte' }, value: -0.5 },
      { labels: { key: '' }, value: Infinity },
      { labels: { key: '' }, value: -Infinity },
      { metricName: 'a_sum', labels: { le: '+Inf' }, value: 0 },
    ]),
    family('b', [{ labels: {}, value: 0.1 + 0.2 }], 'A \\ and a\nline.'),
  ];
  const registry = new Registry();
  for (const { samples, ...metric } of families)
    registry.registerMetric({
      ...metric,
      get: async () => ({ ...metric, values: await samples() }),
    } as unknown as Metric);
  t.equal(await textOf(writeFamilies(families)), `${await registry.metrics()}\n`);
  t.match(await textOf(writeFamilies([family('n', [{ labels: {}, value: Number.NaN }])])), /^n NaN$/m);
});

t.test('others have their turn while very many series are written', async (t) => {
  const samples = Array.from({ length: 2500 }, (_, i): Sample => ({ labels: { key: `k${i}` }, value: i }));
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const parts: string[] = [];
  for await (const part of writeFamilies([family('a', samples), family('b', [])])) parts.push(part);
  isOver = true;
  t.ok(turns > 2, 'between two parts of a family');
  t.ok(
    parts.every((part) => part.endsWith('\n')),
    'each is whole lines',
  );
  t.equal(parts.filter((part) => part.includes('#')).length, 2, 'the comments on a family are in one');
  t.equal(
    parts
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('a{')).length,
    2500,
  );
});
