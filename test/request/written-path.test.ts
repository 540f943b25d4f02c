import t from 'tap';
import type { CompiledRoute } from '../../src/policy/route.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import { pathToWrite, receivedPathToWrite } from '../../src/request/written-path.ts';

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
  const rules = { apis: [{ router: KEYED }] } as unknown as Parameters<typeof receivedPathToWrite>[1];
  t.equal(
    receivedPathToWrite(`/array/${key}/config?a`, rules),
    '/array/:key/config',
    'nor of a request that was not parsed',
  );
  t.end();
});

t.test('the schemes and hosts of other forms are told apart from paths', (t) => {
  t.equal(written('a://host/x'), '/x', 'a scheme of one letter');
  t.equal(written('svn+ssh.x-1://host/x'), '/x');
  t.equal(written('http:/host/x'), '');
  t.equal(written('xhttp://host'), '/');
  t.equal(written('http://ho\nst/x\ny'), '/x\ny');
  t.equal(written(' http://host/x'), '');
  t.equal(written('**'), '');
  t.equal(written('#a'), '');
  t.equal(written('?a=b'), '');
  t.end();
});

t.test('of a path that nobody read the short segments stay', (t) => {
  const rules = { apis: [{ router: PLAIN }, { router: KEYED }] } as unknown as Parameters<
    typeof receivedPathToWrite
  >[1];
  t.equal(
    receivedPathToWrite(`/a/${'k'.repeat(15)}/${'k'.repeat(16)}/${'k'.repeat(40)}`, rules),
    `/a/${'k'.repeat(15)}/:key/:key`,
  );
  t.end();
});
