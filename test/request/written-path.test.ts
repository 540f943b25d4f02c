import t from 'tap';
import type { CompiledRoute } from '../../src/policy/route.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import { pathToWrite } from '../../src/request/written-path.ts';

const KEYED = compileRoutes([{ method: 'GET', path: '/array/:token/config', backend: { keyInPath: true } }]);
const PLAIN = compileRoutes([{ method: 'GET', path: '/a' }]);

function written(target: string, path = '', router = PLAIN, route: CompiledRoute | null = null): string {
  return pathToWrite({
    facts: { target },
    path,
    route: route && { route, target },
    rules: { apis: [{ router: PLAIN }, { router }] },
  } as unknown as Parameters<typeof pathToWrite>[0]);
}

t.test('a path is written as it is matched, and one that is matched by nothing as it came', (t) => {
  t.equal(written('/%61?b', '/a'), '/a');
  t.equal(written('/a/../b?key=s3cret'), '/a/../b');
  t.equal(written('//user:s3cret@host/a'), '//user:s3cret@host/a', 'which is a path');
  t.equal(written('/a;b#s3cret?c'), '/a;b');
  t.equal(written('*'), '*');
  t.end();
});

t.test('of a target in another form the path alone is, without what stands in front of it', (t) => {
  t.equal(written('http://user:s3cret@host/a//b?c'), '/a//b');
  t.equal(written('HTTP://user:s3cret@host?c'), '/');
  t.equal(written('host.example:443'), '');
  t.equal(written('a/b'), '');
  t.equal(written('user:s3cret@host'), '');
  t.equal(written('user:s3cret@http://host/a'), '');
  t.equal(written('1http://host/a'), '');
  t.end();
});

t.test('where a key may stand in a path it is not written', (t) => {
  const [route = null] = KEYED.routes;
  const key = 'phc_0123456789abcdef';
  t.equal(written(`/array/${key}/config`, `/array/${key}/config`, KEYED, route), '/array/:token/config');
  t.equal(written(`//array/${key}%2e/config`, '', KEYED), '//array/:key/config');
  t.equal(written(`//array/${key}%2e/config`), `//array/${key}%2e/config`, 'as elsewhere');
  t.end();
});
