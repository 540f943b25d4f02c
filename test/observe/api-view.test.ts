import t from 'tap';
import { createApiRoutes, type UsedRoute } from '../../src/observe/api-view.ts';
import { DayCounts } from '../../src/observe/day-counts.ts';
import { seenAt } from '../support/observed.ts';

const LISTED = 'orders listed GET /a/:id';
const UNLISTED = 'orders unlisted POST /b';

function countsOf(...requests: Parameters<typeof seenAt>[]): DayCounts {
  const counts = new DayCounts(() => true);
  for (const request of requests) counts.count(seenAt(...request));
  return counts;
}

interface Caller {
  readonly name: string;
  readonly counts: DayCounts;
}

function routesOfApi(callers: readonly Caller[], api: string): UsedRoute[] {
  const routes = createApiRoutes(api);
  for (const { name, counts } of callers) routes.add(name, counts);
  return routes.shown();
}

t.test('the routes of one API, of all callers together, with who used each', async (t) => {
  const web = countsOf(
    [1000, { route: LISTED }],
    [2000, { route: UNLISTED, good: false, reason: 'backend_404' }],
    [3000, { route: 'billing listed GET /a/:id' }],
    [3000, { route: '' }],
  );
  const app = countsOf([500, { route: LISTED }], [4000, { route: LISTED }]);
  const callers = [
    { name: 'web', counts: web },
    { name: 'app', counts: app },
    { name: '', counts: countsOf([5000, { route: UNLISTED, good: false, reason: 'unknown' }]) },
  ];
  t.same(routesOfApi(callers, 'orders'), [
    {
      api: 'orders',
      method: 'GET',
      path: '/a/:id',
      listed: true,
      requests: 3,
      good: 3,
      firstSeen: '1970-01-01T00:00:00.500Z',
      lastSeen: '1970-01-01T00:00:04.000Z',
      keys: ['web', 'app'],
    },
    {
      api: 'orders',
      method: 'POST',
      path: '/b',
      listed: false,
      requests: 2,
      good: 0,
      firstSeen: '1970-01-01T00:00:02.000Z',
      lastSeen: '1970-01-01T00:00:05.000Z',
      keys: ['web', ''],
    },
  ]);
  t.same(routesOfApi(callers, 'none'), []);
});

t.test('more routes are shown than one caller may have', async (t) => {
  const callers = ['a', 'b'].map((name) => ({
    name,
    counts: countsOf(
      ...Array.from({ length: 200 }, (_, i) => [i, { route: `orders listed GET /${name}${i}` }] as const).map(
        ([at, options]) => [at, options] as Parameters<typeof seenAt>,
      ),
    ),
  }));
  t.equal(routesOfApi(callers, 'orders').length, 400);
});
