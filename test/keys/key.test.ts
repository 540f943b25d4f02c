import t from 'tap';
import { keyServes, type Key } from '../../src/keys/key.ts';

const serves = (apis: readonly string[] | null, api: string): boolean =>
  keyServes({ apis: apis && new Set(apis) } as Key, api);

t.test('a key is for every API but metrics, or for those that it names', async (t) => {
  t.same(
    ['orders', 'integration', 'metrics'].map((api) => serves(null, api)),
    [true, true, false],
  );
  t.same(
    ['orders', 'integration', 'metrics'].map((api) => serves(['orders', 'metrics'], api)),
    [true, false, true],
  );
  t.equal(serves([], 'orders'), false);
});
