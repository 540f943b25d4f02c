import t from 'tap';
import { compileRoutes, type CompiledRoute } from '../../src/policy/route.ts';
import type { RouteDefinition } from '../../src/config/route-definition.ts';
import { madeUpBody } from '../../src/request/made-up-body.ts';

const bodyOf = (events: RouteDefinition['events'], when?: RouteDefinition['when']): unknown => {
  const [route] = compileRoutes([{ method: 'POST', path: '/a', events, when }]).routes;
  const body = madeUpBody(route as CompiledRoute, ['a', 'b']);
  return body.length === 0 ? null : (JSON.parse(body.toString()) as unknown);
};

t.test('events of these names, where the route has them', async (t) => {
  t.equal(bodyOf(undefined), null);
  t.same(bodyOf('name'), { name: 'a' });
  t.same(bodyOf('payload.name'), { payload: { name: 'a' } });
  t.same(bodyOf('[].name'), [{ name: 'a' }, { name: 'b' }]);
  t.same(bodyOf('x.y[].z.name'), { x: { y: [{ z: { name: 'a' } }, { z: { name: 'b' } }] } });
  t.same(bodyOf('x[].y[].name'), { x: [{ y: [{ name: 'a' }, { name: 'b' }] }] });
  t.same(bodyOf('[].y[].name'), [{ y: [{ name: 'a' }, { name: 'b' }] }]);
  t.same(bodyOf(['x[].name', 'name']), { x: [{ name: 'a' }, { name: 'b' }] }, 'the first shape');
  const when = { member: 'type', is: ['track', 'screen'], pass: [] };
  t.same(bodyOf('[].name', when), [
    { type: 'track', name: 'a' },
    { type: 'track', name: 'b' },
  ]);
});

t.test('a route without a selector has a body of nothing', async (t) => {
  const [route] = compileRoutes([{ method: 'POST', path: '/a', events: 'name' }]).routes;
  const none = { ...route, events: { ...(route as CompiledRoute).events, selectors: [] } } as unknown as CompiledRoute;
  t.equal(madeUpBody(none, ['a']).length, 0);
});
