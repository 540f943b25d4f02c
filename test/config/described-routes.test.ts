import { join } from 'node:path';
import t from 'tap';
import { describeApis } from '../../src/config/described-routes.ts';
import { ConfigSchema } from '../../src/config/schema.ts';

const upstream = 'http://127.0.0.1:9000';

t.test('APIs that name a document get its routes, and others keep theirs', async (t) => {
  const directory = t.testdir({ 'api.yaml': 'openapi: 3.0.0\npaths: { /x: { get: {}, trace: {} } }\n' });
  const openapi = join(directory, 'api.yaml');
  const { apis } = ConfigSchema.parse({
    apis: {
      a: { upstream, paths: ['/a'], openapi },
      b: { upstream, paths: ['/b'], openapi },
      c: { upstream, paths: ['/c'], routes: [{ method: 'GET', path: '/c' }] },
    },
  });
  const described = describeApis(apis);
  t.same(Object.keys(described.apis), ['a', 'b', 'c']);
  for (const name of ['a', 'b']) t.match(described.apis[name]?.routes, [{ method: 'GET', path: '/x' }]);
  t.equal(described.apis['c'], apis['c']);
  t.same(described.findings, []);
  t.equal(described.problems.length, 1, 'a document is read once');
  t.same(described.files, [openapi]);
});

t.test('a document that is not there is a finding of every API that names it', async (t) => {
  const openapi = join(t.testdir(), 'none.yaml');
  const { apis } = ConfigSchema.parse({
    apis: { a: { upstream, paths: ['/a'], openapi }, b: { upstream, paths: ['/b'], openapi } },
  });
  const { findings, files } = describeApis(apis);
  t.match(findings, [
    { path: ['apis', 'a', 'openapi'], message: /because it does not exist/ },
    { path: ['apis', 'b', 'openapi'], message: /because it does not exist/ },
  ]);
  t.same(files, [openapi], 'which is watched all the same');
});
