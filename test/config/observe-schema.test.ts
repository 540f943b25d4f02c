import t from 'tap';
import { ObserveSchema } from '../../src/config/observe-schema.ts';

t.test('what callers do is kept in one of three places', async (t) => {
  const takes = (written: object): boolean => ObserveSchema.safeParse(written).success;
  for (const store of ['memory', 'redis', 'file:x', 'file:/var/lib/observed.json'])
    t.equal(takes({ store }), true, store);
  for (const store of ['', 'Memory', 'xmemory', 'memoryx', 'redis:', 'file:', 'file:a\0b', '/var/lib/x', 1, null])
    t.equal(takes({ store }), false, JSON.stringify(store));
  for (const days of [1, 90]) t.equal(takes({ days }), true);
  for (const days of [0, 91, 1.5, '1']) t.equal(takes({ days }), false);
  t.equal(takes({ enabled: 'yes' }), false);
  t.equal(takes({ store: 'memory', path: 'x' }), false);
});
