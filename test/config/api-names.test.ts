import t from 'tap';
import { API_NAME, METRICS_API, pathsOf, USERFLUX_APIS } from '../../src/config/api-names.ts';

t.test('two names say something by themselves', async (t) => {
  t.equal(METRICS_API, 'metrics');
  t.same([...USERFLUX_APIS], ['integration', 'metrics']);
  t.same(pathsOf('orders', null), ['/']);
  t.same(pathsOf('integration', null), ['/']);
  t.same(pathsOf('metrics', null), ['/metrics']);
  t.same(pathsOf('metrics', ['/stats']), ['/stats']);
  t.same(pathsOf('orders', []), []);
});

t.test('a name is a label', async (t) => {
  for (const name of ['a', 'a-0', 'a'.repeat(32)]) t.match(name, API_NAME);
  for (const name of ['', 'A', '0a', '-a', 'a_b', 'a.b', 'a\n', 'a'.repeat(33)]) t.notMatch(name, API_NAME);
});
