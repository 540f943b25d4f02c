import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { runRoutes } from '../../src/commands/routes.ts';
import { RoutesSchema } from '../../src/config/route-schema.ts';
import { capturedIo } from '../support/command-io.ts';

async function routes(t: Test, document: string, name = 'api.yaml') {
  const directory = t.testdir({ [name]: document });
  const { io, out, err } = capturedIo();
  const code = await runRoutes({ file: join(directory, name) }, io);
  return { code, out: out.join('\n'), err: err.map((line) => line.replaceAll(`${directory}/`, '')) };
}

const PATHS = [
  '  /users/{id}: { put: {}, get: { x-postern: { cacheMinutes: 5 } } }',
  '  /track: { post: { x-postern: { events: "batch[].event", query: [ip] } } }',
];

t.test('routes ready to paste, in one order whatever the order of the document', async (t) => {
  for (const paths of [PATHS, PATHS.toReversed()]) {
    const { code, out, err } = await routes(t, ['openapi: 3.0.0', 'paths:', ...paths, ''].join('\n'));
    t.equal(code, 0);
    t.same(err, []);
    t.equal(
      out,
      [
        'routes:',
        '  - { method: POST, path: /track, events: "batch[].event", query: [ ip ] }',
        '  - { method: GET, path: /users/:id, cacheMinutes: 5 }',
        '  - { method: PUT, path: /users/:id }',
      ].join('\n'),
    );
    const read = (parse(out) as { routes: unknown }).routes;
    t.match(RoutesSchema.parse(read), [{ events: 'batch[].event' }, { cacheMinutes: 5 }, { method: 'PUT' }]);
  }
});

t.test('what looks like a reference to the environment is text, as in the document', async (t) => {
  const carries = { events: 'event', when: { member: 'type', is: ['${HOME}'] } };
  const { out, err } = await routes(
    t,
    `openapi: 3.0.0\npaths:\n  /a: { post: { x-postern: ${JSON.stringify(carries)} } }\n`,
  );
  t.same(err, []);
  t.match(out, /is: \[ *"?\$\$\{HOME\}"? *\]/);
});

t.test('the methods of a path come in one order', async (t) => {
  const methods = ['patch', 'delete', 'get', 'put', 'head', 'post'];
  const { out } = await routes(
    t,
    `openapi: 3.0.0\npaths:\n  /a: { ${methods.map((method) => `${method}: {}`).join(', ')} }\n  /b: { get: {} }\n`,
  );
  t.same(
    [...out.matchAll(/method: (\w+), path: (\S+)/g)].map(([, method, path]) => `${method} ${path}`),
    ['GET /a', 'HEAD /a', 'POST /a', 'PUT /a', 'PATCH /a', 'DELETE /a', 'GET /b'],
  );
});

t.test('what no route can say is named', async (t) => {
  const some = await routes(t, 'openapi: 3.1.0\npaths:\n  /a/{b}.{c}: { get: {} }\n  /a: { get: {} }\n');
  t.equal(some.code, 0);
  t.equal(some.out, 'routes:\n  - { method: GET, path: /a }');
  t.match(some.err, [/^api\.yaml:3:17 warning paths\.\/a\/\{b\}\.\{c\}\.get is not listed/]);
  const none = await routes(t, 'openapi: 3.1.0\npaths:\n  /a: { trace: {} }\n');
  t.match(none, { code: 1, out: '', err: [/no key may use TRACE/, /^api\.yaml: no route could be made/] });
  t.match(await routes(t, 'swagger: "2.0"\n'), {
    code: 1,
    out: '',
    err: [/^api\.yaml:1:1 error The file is no OpenAPI/, /no route could be made/],
  });
  const wrong = 'openapi: 3.1.0\npaths:\n  /a: { get: { x-postern: { evnts: a } } }\n  /b: { get: {} }\n';
  t.match(await routes(t, wrong), {
    code: 0,
    out: 'routes:\n  - { method: GET, path: /b }',
    err: [/error .*evnts is not a known field/],
  });
  const { io, err } = capturedIo();
  t.equal(await runRoutes({ file: '/nowhere/api.yaml' }, io), 1);
  t.match(err, ['/nowhere/api.yaml: the file cannot be used: it does not exist.']);
});
