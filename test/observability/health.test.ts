import t from 'tap';
import { createHealth } from '../../src/observability/health.ts';

t.test('starting until keys are loaded, then ready, draining for good', async (t) => {
  let loaded = false;
  const health = createHealth(() => loaded);
  t.equal(health.readiness(), 'starting');
  t.match(health.why(), /keys/);
  loaded = true;
  t.equal(health.readiness(), 'ready');
  t.equal(health.why(), null);
  health.drain();
  t.equal(health.readiness(), 'draining');
  t.match(health.why(), /shutting down/);
});

t.test('draining before keys were ever loaded is draining', async (t) => {
  const health = createHealth(() => false);
  health.drain();
  t.equal(health.readiness(), 'draining');
});
