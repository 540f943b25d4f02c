import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { readOpenApi } from '../../src/config/openapi.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { findRouteProblems } from '../../src/config/route-definition.ts';

const directory = t.testdir();
let count = 0;

/** Reads a document made of this text, and beside it the files given. */
function read(t: Test, text: string, files: Readonly<Record<string, string>> = {}, extension = 'yaml') {
  count += 1;
  const file = join(directory, `api${count}.${extension}`);
  writeFileSync(file, text);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const { unusable, routes, problems, files: read } = readOpenApi(file);
  // What is listed can be used.
  t.same(findRouteProblems(routes.map(({ route }) => route)), []);
  return {
    unusable,
    routes,
    lines: routes.map(({ route }) => `${route.method} ${route.path}`),
    problems: problems.map((problem) => formatProblem({ ...problem, file: basename(problem.file) })),
    files: read.map((name) => basename(name)),
    name: basename(file),
  };
}

const described = (paths: string, head = ''): string => `openapi: 3.1.0\n${head}paths:\n${paths}`;

t.test('operations become routes', async (t) => {
  const { lines, problems, files, name, routes } = read(
    t,
    `
openapi: 3.0.3
info: { title: Orders, version: "1" }
servers:
  - url: https://{region}.example.com/{base}/
    variables: { region: { default: eu }, base: { default: v1, enum: [v1, v2] } }
  - url: https://other.example.com/v2
paths:
  /orders:
    summary: All orders
    parameters: []
    x-other: true
    get: { responses: {} }
    post: {}
  /orders/{orderId}/lines/{line-no}:
    delete: {}
    head: {}
    put: {}
    patch: {}
  /a.b/{7}: { get: {} }
  x-note: nothing
webhooks:
  newOrder: { post: {} }
`,
  );
  t.same(lines, [
    'GET /v1/orders',
    'POST /v1/orders',
    'DELETE /v1/orders/:orderId/lines/:line_no',
    'HEAD /v1/orders/:orderId/lines/:line_no',
    'PUT /v1/orders/:orderId/lines/:line_no',
    'PATCH /v1/orders/:orderId/lines/:line_no',
    'GET /v1/a.b/:_7',
  ]);
  t.same(problems, []);
  t.same(files, [name]);
  t.same(routes[0]?.written, { method: 'GET', path: '/v1/orders' });
  t.match(routes[0]?.route, { forms: false, public: false, cacheMinutes: null, unnamed: 'disallow' });
});

t.test('JSON is read alike', async (t) => {
  const text = JSON.stringify({ openapi: '3.1.0', paths: { '/a': { get: {}, trace: {} } } }, null, 2);
  const { lines, problems, name } = read(t, text, {}, 'json');
  t.same(lines, ['GET /a']);
  t.same(problems, [`${name}:6:7 warning paths./a.trace is not listed: no key may use TRACE.`]);
});

t.test('the path of the nearest first server stands in front', async (t) => {
  const head = 'servers: [{ url: /root/ }]\n';
  const { lines } = read(
    t,
    described(
      `  /a: { get: {}, post: { servers: [{ url: "https://x/op" }] } }
  /b: { servers: [{ url: item }], get: {}, post: { servers: [] } }
  /: { get: {} }
`,
      head,
    ),
  );
  t.same(lines, ['GET /root/a', 'POST /op/a', 'GET /item/b', 'POST /item/b', 'GET /root/']);
  t.same(read(t, described('  /a: { get: {} }\n')).lines, ['GET /a']);
  t.same(read(t, described('  /a: { get: {} }\n', 'servers: [{ url: "https://x" }]\n')).lines, ['GET /a']);
});

t.test('fields of a route stand under x-postern', async (t) => {
  const { routes, problems } = read(
    t,
    described(`  /a:
    post: { x-postern: { events: "batch[].event", query: [ip], maxBodyBytes: 7 } }
    get: { x-postern: { cacheMinutes: 5, upstream: "http://files:8080" } }
`),
  );
  t.same(problems, []);
  t.match(routes[0]?.route, { method: 'POST', events: 'batch[].event', query: ['ip'], maxBodyBytes: 7, forms: false });
  t.same(routes[1]?.written, { method: 'GET', path: '/a', cacheMinutes: 5, upstream: 'http://files:8080' });
});

t.test('what is wrong under x-postern is an error at its place', async (t) => {
  const wrong = (extension: string): string[] => {
    const { problems, name, lines } = read(t, described(`  /a:\n    get:\n      x-postern: ${extension}\n`));
    t.same(lines, []);
    return problems.map((problem) => problem.replace(`${name}:`, ''));
  };
  t.same(wrong('{ cacheMinute: 5 }'), [
    '5:20 error paths./a.get.x-postern.cacheMinute is not a known field; did you mean "cacheMinutes"?',
  ]);
  t.match(wrong('{ cacheMinutes: 0 }'), [/^5:20 error .*cacheMinutes must be a whole number/]);
  t.match(wrong('{ events: name }'), [/^5:7 error .*x-postern is not usable: a GET request carries no events/]);
  t.match(wrong('{ path: /b, method: GET }'), [/^5:20 error .*path is said by/, /^5:30 error .*method is said by/]);
  t.match(wrong('true'), [/^5:7 error .*x-postern must be a mapping/]);
  t.match(wrong('~'), [/^5:7 error .*x-postern must be a mapping/]);
  t.match(wrong('{ upstream: "${UPSTREAM}" }'), [/upstream must be an http/]);
});

t.test('what a route cannot say is named, and not listed', async (t) => {
  const notListed = (paths: string, head = ''): string[] => {
    const { problems, lines } = read(t, described(paths, head));
    t.same(lines, ['GET /good'], paths);
    return problems.map((problem) => problem.replace(/^.*? warning /, ''));
  };
  const good = '  /good: { get: {} }\n';
  for (const [paths, why] of [
    ['  /a/{b}-{c}: { get: {} }\n', /^paths\.\/a\/\{b\}-\{c\}\.get is not listed: .* not "\{b\}-\{c\}"\.$/],
    ['  /a/{b}.json: { get: {} }\n', /not "\{b\}\.json"/],
    ['  /a/{}: { get: {} }\n', /not "\{\}"/],
    ['  /a/:b: { get: {} }\n', /not ":b"/],
    ['  /a/**: { get: {} }\n', /not "\*\*"/],
    ['  /a%20b: { get: {} }\n', /plain visible ASCII/],
    ['  /a//b: { get: {} }\n', /ambiguous/],
    ['  /a?b=c: { get: {} }\n', /holds a query/],
    ['  a: { get: {} }\n', /does not start with a slash/],
    ['  /a: { options: {} }\n', /no key may use OPTIONS/],
    ['  /a: { query: {} }\n', /"query" is no method of a route/],
    ['  /a: { GET: {} }\n', /"GET" is no method of a route/],
    ['  /a: { get: ~ }\n', /it is no mapping/],
    ['  /GOOD/: { get: {} }\n', /GET \/GOOD\/ matches the same paths as an operation before it/],
    ['  /a: { get: {}, servers: [{}] }\n', /no `url`/],
    ['  /a: { get: {}, servers: [{ url: "/{x}" }] }\n', /a variable without a default/],
    ['  /a: { get: {}, servers: [{ url: "http://[" }] }\n', /is no URL/],
    ['  /a: { get: {}, servers: [{ url: "/:v" }] }\n', /server's path "\/:v"/],
  ] as const)
    t.match(notListed(good + paths), [why], paths);
});

t.test('two parameters of one name get two names', async (t) => {
  t.same(read(t, described('  /{a}/{a_2}/{a}/{a-2}: { get: {} }\n')).lines, ['GET /:a/:a_2/:a_3/:a_2_2']);
});

t.test('references to the document and to local files are followed', async (t) => {
  const { lines, problems, files, name } = read(
    t,
    `openapi: 3.1.0
paths:
  /a: { $ref: "#/components/pathItems/a~1b%20c" }
  /b: { $ref: "items.yaml#/b" }
  /c: { post: { $ref: "operation.json" } }
components:
  pathItems:
    "a/b c": { get: {} }
`,
    {
      'items.yaml': 'b: { $ref: "./more.yaml#/list/1" }\n',
      'more.yaml': 'list:\n  - {}\n  - put: { x-postern: { $ref: "#/extension" } }\nextension: { timeoutSeconds: 5 }\n',
      'operation.json': '{"x-postern":{"maxBodyBytes":5}}',
    },
  );
  t.same(problems, []);
  t.same(lines, ['GET /a', 'PUT /b', 'POST /c']);
  t.same(files, [name, 'items.yaml', 'more.yaml', 'operation.json']);
});

t.test('a reference that leads nowhere lists nothing', async (t) => {
  const files = { 'broken.yaml': 'a: [', 'loop.yaml': 'a: { $ref: "loop.yaml#/b" }\nb: { $ref: "#/a" }\n' };
  for (const [reference, why] of [
    ['https://example.com/a.yaml', /nothing is read from a network/],
    ['HTTP:a.yaml', /nothing is read from a network/],
    ['//example.com/a.yaml', /nothing is read from a network/],
    ['file:///etc/hostname', /nothing is read from a network/],
    ['/etc/hostname', /nothing is read from a network/],
    ['a.yaml?x', /nothing is read from a network/],
    ['#anchor', /nothing is read from a network/],
    ['%2Fetc%2Fhostname', /nothing is read from a network/],
    ['a%FF.yaml', /nothing is read from a network/],
    ['#/nowhere', /where nothing is/],
    ['#/paths/constructor', /where nothing is/],
    ['missing.yaml', /"missing.yaml", which cannot be used: it does not exist/],
    ['broken.yaml', /"broken.yaml", which cannot be used: it is not well-formed/],
    ['.', /no regular file/],
    ['loop.yaml#/a', /perhaps back to itself/],
  ] as const) {
    const { lines, problems } = read(t, described(`  /a: { $ref: "${reference}" }\n  /b: { get: {} }\n`), files);
    t.same(lines, ['GET /b'], reference);
    t.match(problems, [why], reference);
    const isElsewhere = /network/.test(problems.join());
    t.match(problems, [isElsewhere ? / warning .* is not listed: / : / error .* has a `\$ref` that /], reference);
  }
  const beside = read(t, described('  /a: { $ref: "#/paths/~1b", post: {} }\n  /b: { get: {} }\n'));
  t.same(beside.lines, ['GET /a', 'GET /b']);
  t.match(beside.problems, [/warning paths\.\/a is not listed: an operation beside `\$ref`/]);
});

t.test('a document that cannot be used is an error', async (t) => {
  const error = (text: string): string[] => {
    const { problems, name } = read(t, text);
    return problems.map((problem) => problem.replace(`${name}:`, ''));
  };
  for (const version of ['swagger: "2.0"', 'openapi: 3.2.0', 'openapi: "2.0"', 'openapi: 3.10.0', 'x: 1'])
    t.match(error(`${version}\npaths: { /a: { get: {} } }\n`), [/^1:1 error The file is no OpenAPI document/], version);
  t.match(error('- 1\n'), [/no OpenAPI document/]);
  t.match(error('openapi: 3.1\n'), [/paths must be a mapping with fields/]);
  t.match(error('openapi: 3.1.0\npaths: []\n'), [/^2:1 error paths must be a mapping/]);
  t.match(error('a: [\n'), [/error/]);
  t.match(error('{"openapi": "3.1.0", "paths": {}'), [/error/]);
  const missing = readOpenApi(join(directory, 'none.yaml'));
  t.same(missing, { unusable: 'it does not exist', routes: [], problems: [], files: [join(directory, 'none.yaml')] });
  for (const file of [directory, '/dev/zero']) t.equal(readOpenApi(file).unusable, 'it is no regular file', file);
});

t.test('sizes are bounded', async (t) => {
  const large = `# ${'x'.repeat(17_000_000)}\n`;
  t.match(read(t, large).unusable, /larger than 16777216 bytes/);
  const { problems } = read(t, described(`  /a: { $ref: "large.yaml" }\n`), { 'large.yaml': large });
  t.match(problems, [/larger than \d+ bytes, or all files together are/]);
  const half = JSON.stringify({ get: {}, description: 'x'.repeat(9_000_000) });
  const both = read(t, described('  /a: { $ref: "half.json" }\n  /b: { $ref: "other.json" }\n'), {
    'half.json': half,
    'other.json': half,
  });
  t.same([both.lines, both.problems.length], [['GET /a'], 1]);
  t.match(both.problems, [
    /"other.json", which cannot be used: it is larger than \d+ bytes, or all files together are/,
  ]);
  const items = Array.from({ length: 101 }, (_, i) => `  /${i}: { $ref: "item${i}.yaml" }\n`).join('');
  const many = read(
    t,
    described(items),
    Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`item${i}.yaml`, 'get: {}\n'])),
  );
  t.equal(many.lines.length, 99);
  t.match(many.problems, [/more than 100 files/, /more than 100 files/]);
});

t.test('sixteen references may lead to one another, and no more', async (t) => {
  const chain = (count: number): string =>
    described(
      `  /a: { $ref: "#/x/1" }\n`,
      `x:\n${Array.from({ length: count - 1 }, (_, n) => `  "${n + 1}": { $ref: "#/x/${n + 2}" }\n`).join('')}  "${count}": { get: {} }\n`,
    );
  t.same(read(t, chain(16)).lines, ['GET /a']);
  const more = read(t, chain(17));
  t.same(more.lines, []);
  t.match(more.problems, [/leads through more than 16 references/]);
  const astray = read(t, chain(16).replace('{ get: {} }', '{ $ref: "https://example.com/a.yaml" }'));
  t.match(astray.problems, [/ warning .* nothing is read from a network/], 'of the last it is told, too');
});

t.test('a document in JSON is told of at its lines, and what is no JSON is read as YAML', async (t) => {
  const json = read(t, '\n {"openapi":"3.1.0",\n"paths":{"/a":{"get":{"x-postern":{"evnts":1}}}}}', {}, 'json');
  t.match(json.problems, [/^api\d+\.json:3:\d+ error .*evnts is not a known field/]);
  t.same(read(t, '{ openapi: 3.1.0, paths: { /a: { get: {} } } }').lines, ['GET /a']);
});

t.test('every method of a route is one of a document, and each field that is none is passed over', async (t) => {
  const fields = 'summary: x, description: x, servers: [], parameters: [], x-own: 1';
  const { lines, problems } = read(
    t,
    described(`  /a: { get: {}, head: {}, post: {}, put: {}, patch: {}, delete: {}, ${fields} }\n`),
  );
  t.same(
    lines,
    ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} /a`),
  );
  t.same(problems, []);
  const none = read(t, described('  /a: { options: {}, trace: {} }\n'));
  t.match(none.problems, [/no key may use OPTIONS/, /no key may use TRACE/]);
  t.match(read(t, described('  {}\n')).problems, [/paths holds no operation that is listed/]);
});

t.test('a reference under x-postern that leads nowhere is an error, and lists nothing', async (t) => {
  const { lines, problems } = read(t, described('  /a:\n    get:\n      x-postern: { $ref: "#/nowhere" }\n'));
  t.same(lines, []);
  t.match(problems, [
    /:5:7 error paths\.\/a\.get\.x-postern has a `\$ref` that leads to "#\/nowhere", where nothing is\.$/,
  ]);
});
