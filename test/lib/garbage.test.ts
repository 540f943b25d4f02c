import t from 'tap';
import { collectGarbage } from '../../src/lib/garbage.ts';

t.test('what nobody holds is gone at once, what is held stays', async (t) => {
  const held = { name: 'held' };
  const dropped = new WeakRef({ name: 'dropped' });
  const kept = new WeakRef(held);
  // A WeakRef holds its target until the job that made it is over.
  await new Promise(setImmediate);
  collectGarbage();
  t.equal(dropped.deref(), undefined);
  t.equal(kept.deref(), held);
});
