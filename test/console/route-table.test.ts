import t from 'tap';
import { otherLines, routeTable } from '../../src/admin/console/keys/route-table.ts';

const route = (method: string, path: string, pages = false) => ({ method, path, pages, events: false, public: false });
const API = {
  routes: [
    route('POST', '/track'),
    route('GET', '/users/:id'),
    route('DELETE', '/users/:id'),
    route('GET', '/static/**', true),
  ],
};

/** Each cell in a word: `-` none, `x` not the type's, `n` named, `a` admitted by another line, `o` refused. */
function drawn(allowed: 'all' | readonly string[], type: Parameters<typeof routeTable>[2] = 'read-write'): string[] {
  return routeTable(API, allowed, type).rows.map(
    ({ path, cells }) =>
      `${path} ${cells
        .map((cell) => {
          if (cell.kind !== 'route') return cell.kind === 'none' ? '-' : 'x';
          return cell.named ? 'n' : cell.admitted ? 'a' : 'o';
        })
        .join('')}`,
  );
}

t.test('methods that no route has take no column', async (t) => {
  t.same(routeTable(API, 'all', null).methods, ['GET', 'POST', 'DELETE']);
});

t.test('all routes, by type', async (t) => {
  t.same(drawn('all'), ['/track -a-', '/users/:id a-a', '/static/** a--']);
  t.same(drawn('all', 'read-only'), ['/track -x-', '/users/:id a-x', '/static/** a--']);
  t.same(drawn('all', 'write-only'), ['/track -a-', '/users/:id x-x', '/static/** a--'], 'pages may be read');
});

t.test('chosen routes: those that a line names, and those that another line admits whole', async (t) => {
  t.same(drawn([]), ['/track -o-', '/users/:id o-o', '/static/** o--']);
  t.same(drawn(['GET /users/:id']), ['/track -o-', '/users/:id n-o', '/static/** o--']);
  t.same(drawn(['* /Users/:name/']), ['/track -o-', '/users/:id a-a', '/static/** o--']);
  t.same(drawn(['GET /users/me', 'GET /static/a']), ['/track -o-', '/users/:id o-o', '/static/** o--']);
  t.same(drawn(['GET /**']), ['/track -o-', '/users/:id a-o', '/static/** a--']);
  t.same(drawn(['what is being typed']), ['/track -o-', '/users/:id o-o', '/static/** o--']);
});

t.test('lines that are no routes of the APIs', async (t) => {
  t.same(otherLines([API], ['POST /track', 'GET /users/me']), ['GET /users/me']);
});
