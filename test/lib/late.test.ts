import t from 'tap';
import { late } from '../../src/lib/late.ts';

t.test('it is made once, when it is first asked for, and a failure is tried again', async (t) => {
  let made = 0;
  const thing = late(() => {
    made += 1;
    if (made === 1) throw new Error('not yet');
    return undefined;
  });
  t.same([made, thing.made()], [0, false]);
  t.throws(() => thing(), { message: 'not yet' });
  t.equal(thing.made(), false);
  t.equal(thing(), undefined);
  t.equal(thing(), undefined);
  t.same([made, thing.made()], [2, true], 'undefined is a thing, too');
});
