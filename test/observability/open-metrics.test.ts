import t from 'tap';
import { prefersOpenMetrics, toOpenMetrics } from '../../src/observability/open-metrics.ts';
import { metricsOver, textOf } from '../support/metrics.ts';
import { key, outcome, snapshot } from '../support/outcomes.ts';

t.test('who asks for OpenMetrics gets it, and nobody else', async (t) => {
  const asks = [
    'application/openmetrics-text',
    'Application/OpenMetrics-Text; version="1.0.0"; charset=utf-8',
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'text/plain;q=0.5, application/openmetrics-text;q=0.5',
  ];
  for (const accept of asks) t.equal(prefersOpenMetrics(accept), true, accept);
  const others = [
    undefined,
    '',
    '*/*',
    'application/*',
    'text/plain',
    'application/openmetrics-text;q=0',
    'application/openmetrics-text;q=x',
    'application/openmetrics-text;version=0.0.1',
    'application/openmetrics-text;version=2.0.0, text/plain',
    'application/openmetrics-text;q=0.4, text/plain;q=0.5',
    'application/openmetrics-text;q=0.4, */*',
    'application/openmetrics-text;q=0.4, text/*',
    'application/openmetrics-texts',
  ];
  for (const accept of others) t.equal(prefersOpenMetrics(accept), false, String(accept));
});

const inParts = async function* (...parts: readonly string[]): AsyncGenerator<string> {
  yield* parts;
};

t.test('counters lose their ending in the family alone, and the end is marked', async (t) => {
  const text = [
    '# HELP a_total Says "so".',
    '# TYPE a_total counter',
    'a_total{key="_total counter"} 1',
    '',
    '# HELP handles_total Not a counter.',
    '# TYPE handles_total gauge',
    'handles_total 2',
    '# HELP c_total_seen_total Twice.',
    '# TYPE c_total_seen_total counter',
    '# HELP b Not that # TYPE handles_total counter',
    '# TYPE b_total gauge # TYPE handles_total counter',
    '',
  ];
  t.equal(
    await textOf(toOpenMetrics(inParts(text.slice(0, 3).join('\n'), text.slice(3).join('\n')))),
    [
      '# HELP a Says \\"so\\".',
      '# TYPE a counter',
      'a_total{key="_total counter"} 1',
      '# HELP handles_total Not a counter.',
      '# TYPE handles_total gauge',
      'handles_total 2',
      '# HELP c_total_seen Twice.',
      '# TYPE c_total_seen counter',
      '# HELP b Not that # TYPE handles_total counter',
      '# TYPE b_total gauge # TYPE handles_total counter',
      '# EOF',
      '',
    ].join('\n'),
  );
});

t.test('a whole scrape keeps every series, and each counter can be written in the format', async (t) => {
  const metrics = metricsOver(() => snapshot([key('web', {})]));
  metrics.record(outcome({}));
  const text = await textOf(metrics.parts());
  const open = await textOf(toOpenMetrics(inParts(text)));
  const samples = (of: string) => of.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  t.same(samples(open), samples(text));
  const families = [...open.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  t.equal(new Set(families.map(([, name]) => name)).size, families.length, 'no two families of one name');
  const bare = families.filter(([, name, type]) => type === 'counter' && RegExp(`^${name}[ {]`, 'm').test(open));
  t.same(bare, [], 'each sample of a counter ends in _total');
});
