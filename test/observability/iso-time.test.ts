import * as fc from 'fast-check';
import t from 'tap';
import { isoTime } from '../../src/observability/iso-time.ts';

t.test('is the time asked for, whatever was asked before', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4e12 })), (times) =>
        times.every((time) => Date.parse(isoTime(time)) === time && isoTime(time).endsWith('Z')),
      ),
    ),
  );
});
