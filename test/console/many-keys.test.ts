/** Of very many keys, which are offered while an id is typed. */
import t from 'tap';
import { isTyped, matching } from '../../src/admin/console/explain/many-keys.ts';

const ids = Array.from({ length: 10_000 }, (_, at) => `key-${at}`);

void t.test('of very many keys a few are offered, those that begin with what is typed first', (t) => {
  t.ok(isTyped(ids));
  t.notOk(isTyped(ids.slice(0, 500)));
  t.equal(matching(ids, '').length, 20);
  t.same(matching(ids, ' KEY-9999 '), ['key-9999']);
  t.same(matching(['a-web', 'web', 'b'], 'web'), ['web', 'a-web']);
  t.same(matching([...Array.from({ length: 30 }, (_, at) => `x-${at}-web`), 'web'], 'web')[0], 'web');
  t.equal(matching(ids, '99').length, 20);
  t.same(matching(ids, 'nothing'), []);
  t.end();
});
