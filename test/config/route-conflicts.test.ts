import t from 'tap';
import { routeConflicts, type RouteFields } from '../../src/config/route-conflicts.ts';

const fieldsOf = (some: Partial<RouteFields>): string[] =>
  routeConflicts({
    method: 'POST',
    public: false,
    pages: false,
    cacheMinutes: null,
    maxBodyBytes: null,
    ...some,
  }).map(({ field }) => field);

t.test('what means nothing beside the rest of the route is found', async (t) => {
  const conflicts: readonly (readonly [some: Partial<RouteFields>, ...fields: string[]])[] = [
    [{}],
    [{ events: 'name' }],
    [{ public: true }],
    [{ public: true, events: 'name' }, 'public'],
    [{ public: true, events: [] }, 'public'],
    [{ public: true, maxBodyBytes: 5 }],
    [{ public: true, pages: true }, 'pages'],
    [{ public: true, pages: true, method: 'GET' }, 'pages'],
    [{ pages: true, method: 'GET' }],
    [{ pages: true, method: 'HEAD' }],
    [{ pages: true }, 'pages'],
    [{ cacheMinutes: 5 }],
    [{ cacheMinutes: 5, method: 'GET' }],
    [{ cacheMinutes: 5, method: 'HEAD' }, 'cacheMinutes'],
    [{ cacheMinutes: 5, method: 'DELETE' }, 'cacheMinutes'],
    [{ cacheMinutes: 5, events: 'name' }, 'cacheMinutes'],
    [{ cacheMinutes: 5, public: true }],
    [{ maxBodyBytes: 5 }],
    [{ maxBodyBytes: 5, method: 'DELETE' }],
    [{ maxBodyBytes: 5, method: 'GET' }, 'maxBodyBytes'],
    [{ maxBodyBytes: 5, method: 'HEAD' }, 'maxBodyBytes'],
  ];
  for (const [some, ...fields] of conflicts) t.same(fieldsOf(some), fields, JSON.stringify(some));
});
