import * as fc from 'fast-check';
import t from 'tap';
import { createDurations } from '../../src/observability/durations.ts';
import { DURATION_BUCKETS } from '../../src/observability/metric-definitions.ts';

t.test('a bound includes itself, what is above all bounds is in +Inf alone', async (t) => {
  const durations = createDurations();
  for (const seconds of [0.5, 0.500001, 1000]) durations.observe(seconds);
  const bucket = (le: number | string) =>
    durations.samples('d', {}).find((sample) => sample.labels['le'] === le)?.value;
  t.equal(bucket(0.25), 0);
  t.equal(bucket(0.5), 1);
  t.equal(bucket(1), 2);
  t.equal(bucket(30), 2);
  t.equal(bucket('+Inf'), 3);
});

t.test('alerts and dashboards may ask for these bounds, in seconds', async (t) => {
  const bounds = createDurations()
    .samples('d', {})
    .map(({ labels }) => labels['le'])
    .filter((le) => le !== undefined);
  t.same(bounds, [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, '+Inf']);
});

t.test('each bucket holds exactly the observations up to its bound', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 60, noNaN: true })), (observed) => {
        const durations = createDurations();
        for (const seconds of observed) durations.observe(seconds);
        const samples = durations.samples('d', { api: 'x' });
        const buckets = samples.filter((sample) => sample.metricName === 'd_bucket');
        return (
          buckets.length === DURATION_BUCKETS.length + 1 &&
          buckets.every(({ labels, value }) => {
            const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
            return value === observed.filter((seconds) => seconds <= bound).length;
          }) &&
          samples.find((sample) => sample.metricName === 'd_count')?.value === observed.length
        );
      }),
    ),
  );
});
