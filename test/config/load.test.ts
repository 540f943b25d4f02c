import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';

const API = 'apis: { integration: { upstream: http://127.0.0.1:9000 } }\n';

t.test('paths are relative to the file that names them', async (t) => {
  const cert = join(process.cwd(), 'test/fixtures/tls/cert.pem');
  const key = join(process.cwd(), 'test/fixtures/tls/key.pem');
  const directory = t.testdir({
    conf: {
      'postern.yaml': [
        'listen: { tls: { certFile: tls/cert.pem, keyFile: ../key.pem } }',
        'apis:',
        '  integration: { upstream: "https://a", tls: { caFile: tls/cert.pem, certFile: tls/cert.pem, keyFile: ../key.pem } }',
        'redis: { url: "rediss://a", tls: { caFile: tls/cert.pem } }',
        'keys: { file: more/keys.yaml }',
      ].join('\n'),
      tls: { 'cert.pem': t.fixture('symlink', cert) },
    },
    'key.pem': t.fixture('symlink', key),
  });
  const at = (path: string) => join(directory, path);
  const { config, problems, files, keyFile } = loadConfig(at('conf/postern.yaml'), {});
  t.same(problems, []);
  t.same(config?.listen.tls, {
    certFile: at('conf/tls/cert.pem'),
    keyFile: at('key.pem'),
    clientCaFile: null,
  });
  t.equal(config?.apis.integration?.tls.caFile, at('conf/tls/cert.pem'));
  t.match(config?.apis.integration?.tls, { certFile: at('conf/tls/cert.pem'), keyFile: at('key.pem') });
  t.equal(config?.redis.tls?.caFile, at('conf/tls/cert.pem'));
  t.equal(config?.keys.file, at('conf/more/keys.yaml'));
  t.equal(keyFile, at('conf/more/keys.yaml'));
  t.same(new Set(files), new Set([at('conf/postern.yaml'), at('conf/tls/cert.pem'), at('key.pem')]));
});

t.test('the path of a socket is relative to the file too', (t) => {
  // Not in the test's own folder: its path is longer than a socket's may be.
  const directory = mkdtempSync(join(tmpdir(), 'postern-load-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'p.yaml');
  writeFileSync(file, 'apis: { integration: { upstream: "unix:run/app.sock" } }\n');
  const { config, problems } = loadConfig(file, {});
  t.same(problems, []);
  t.equal(config?.apis.integration?.upstream, `unix:${join(directory, 'run/app.sock')}`);
  t.end();
});

t.test('files that references read are watched, also when one is missing', async (t) => {
  const directory = t.testdir({ 'p.yaml': `${API}admin:\n  token: \${file:token}\n` });
  const loaded = loadConfig(join(directory, 'p.yaml'), {});
  t.equal(loaded.config, null);
  t.same(loaded.files, [join(directory, 'p.yaml'), join(directory, 'token')]);
});

t.test('all mistakes are told together, in the order of the lines', async (t) => {
  const text = `listen: { port: x }\nadmin: { port: y }\n${API}log: { level: \${NOPE:-}\n`.replace(
    '${NOPE:-}',
    '"${NOPE}" }',
  );
  const directory = t.testdir({ 'p.yaml': text });
  const { config, problems } = loadConfig(join(directory, 'p.yaml'), {});
  t.equal(config, null);
  t.same(
    problems.map(({ field, line }) => [field, line]),
    [
      ['listen.port', 1],
      ['admin.port', 2],
      ['log.level', 4],
    ],
  );
});

t.test('the key file is known even when the rest is wrong', async (t) => {
  const directory = t.testdir({ 'p.yaml': 'listen: { port: x }\n', 'r.yaml': 'keys: { source: redis }\n' });
  t.equal(loadConfig(join(directory, 'p.yaml'), {}).keyFile, join(directory, 'keys.yaml'));
  t.equal(loadConfig(join(directory, 'r.yaml'), {}).keyFile, null);
});

t.test('a warning leaves the configuration usable', async (t) => {
  const directory = t.testdir({ 'p.yaml': `${API}admin: { host: 0.0.0.0 }\n` });
  const { config, problems } = loadConfig(join(directory, 'p.yaml'), {});
  t.ok(config);
  t.match(problems, [{ severity: 'warning', field: 'admin.host', line: 2, column: 16 }]);
});

t.test('the routes of an OpenAPI document stand in the API that names it', async (t) => {
  const directory = t.testdir({
    'p.yaml': `apis:
  a: { upstream: "http://127.0.0.1:9000", paths: [/a], openapi: docs/api.yaml }
  b: { upstream: "http://127.0.0.1:9001", paths: [/b], openapi: docs/api.yaml, unlisted: refuse }
`,
    docs: {
      'api.yaml':
        'openapi: 3.0.0\npaths:\n  /a/{id}: { $ref: item.yaml }\n  /b: { get: { x-postern: { pages: true } }, trace: {} }\n',
      'item.yaml': 'get: {}\n',
    },
  });
  const { config, problems, files } = loadConfig(join(directory, 'p.yaml'), {});
  for (const name of ['a', 'b']) {
    t.match(config?.apis[name]?.routes, [
      { method: 'GET', path: '/a/:id', pages: false },
      { method: 'GET', path: '/b', pages: true },
    ]);
    t.equal(config?.apis[name]?.openapi, join(directory, 'docs/api.yaml'));
    t.equal(config?.apis[name]?.preset, null);
  }
  t.match(problems, [{ file: join(directory, 'docs/api.yaml'), line: 4, severity: 'warning', message: /TRACE/ }]);
  t.same(
    files,
    ['p.yaml', 'docs/api.yaml', 'docs/item.yaml'].map((name) => join(directory, name)),
  );
});

t.test('an OpenAPI document that is wrong keeps the configuration from being used', async (t) => {
  const load = (document: string) => {
    const directory = t.testdir({
      'p.yaml': 'apis: { a: { upstream: "http://127.0.0.1:9000", openapi: api.yaml } }\n',
      'api.yaml': document,
    });
    return loadConfig(join(directory, 'p.yaml'), {});
  };
  const wrong = load('openapi: 3.1.0\npaths: { /a: { get: { x-postern: { evnts: a } } } }\n');
  t.equal(wrong.config, null);
  t.match(wrong.problems, [
    { file: /api\.yaml$/, line: 2, message: /evnts is not a known field; did you mean "events"/ },
  ]);
  t.match(wrong.files, [/p\.yaml$/, /api\.yaml$/]);
  t.equal(load('paths: [').config, null);
  t.match(load('openapi: 3.1.0\npaths: {}\n').config?.apis['a']?.routes, []);
});

t.test('every file that is named is meant from the file that names it', async (t) => {
  const directory = t.testdir({
    conf: {
      'p.yaml': `listen: { path: run/a.sock, tls: { certFile: c, keyFile: k, clientCaFile: ca } }
admin: { tls: { certFile: ac, keyFile: ak } }
apis: { metrics: { upstream: "http://a", token: { privateKeyFile: t.pem } } }
observe: { store: "file:o.json" }
keys: { source: redis, file: /keys.yaml }
redis: { tls: true }
`,
    },
  });
  const { besidesTls, config, problems, keyFile, files } = loadConfig(join(directory, 'conf/p.yaml'), {});
  const at = (name: string) => join(directory, 'conf', name);
  t.same([config, besidesTls], [null, null], 'the key for tokens is no file of TLS');
  const missing = problems.filter(({ message }) => message.includes('cannot be read')).map(({ field }) => field);
  t.same(
    new Set(missing),
    new Set([
      'listen.tls.certFile',
      'listen.tls.keyFile',
      'listen.tls.clientCaFile',
      'admin.tls.certFile',
      'admin.tls.keyFile',
      'apis.metrics.token.privateKeyFile',
    ]),
  );
  for (const name of ['c', 'k', 'ca', 'ac', 'ak', 't.pem']) t.ok(files.includes(at(name)), name);
  t.equal(keyFile, null, 'keys are in Redis');

  // The path of a socket has to be short.
  const short = mkdtempSync(join(tmpdir(), 'postern-load-'));
  t.teardown(() => rmSync(short, { recursive: true }));
  const text = `apis: { metrics: { upstream: "http://a" } }
observe: { store: "file:o.json" }
keys: { file: /keys.yaml }
listen: { path: run/a.sock }
`;
  writeFileSync(join(short, 'q.yaml'), text);
  const other = loadConfig(join(short, 'q.yaml'), {});
  t.equal(other.config?.observe.store, `file:${join(short, 'o.json')}`);
  t.equal(other.config?.keys.file, '/keys.yaml');
  t.equal(other.config?.listen.path, join(short, 'run/a.sock'));
  t.same([other.config?.listen.tls, other.config?.admin.tls, other.config?.redis.tls], [null, null, null]);
});

t.test('what is observed is kept in a file that nothing else is read from', async (t) => {
  const fieldsOf = (store: string, more = '') => {
    const directory = t.testdir({ 'p.yaml': `${API}observe: { store: "${store}" }\n${more}`, 'x.yaml': '' });
    return loadConfig(join(directory, 'p.yaml'), {}).problems.map(({ field }) => field);
  };
  t.same(fieldsOf('file:o.json'), []);
  t.same(fieldsOf('memory'), []);
  t.same(fieldsOf('file:p.yaml'), ['observe.store']);
  t.same(fieldsOf('file:./x/../keys.yaml'), ['observe.store'], 'the key file');
  t.same(fieldsOf('file:keys.yaml', 'keys: { source: redis }\n'), [], 'which is none here');
});

t.test('files of TLS alone may be wrong where a process runs already', async (t) => {
  const directory = t.testdir({ 'p.yaml': `${API}admin: { tls: { certFile: none, keyFile: none } }\n` });
  const { config, besidesTls, problems } = loadConfig(join(directory, 'p.yaml'), {});
  t.equal(config, null);
  t.equal(besidesTls?.admin.tls?.certFile, join(directory, 'none'));
  t.equal(problems.length, 2);
  t.ok(problems.every(({ severity }) => severity === 'error'));
  const other = t.testdir({ 'p.yaml': `${API}admin: { tls: { certFile: none, keyFile: none } }\nlog: { level: x }\n` });
  t.equal(loadConfig(join(other, 'p.yaml'), {}).besidesTls, null);
});

t.test('what is said of Redis, of address lists, and of what only the operator can judge', async (t) => {
  const load = (more: string) => loadConfig(join(t.testdir({ 'p.yaml': `${API}${more}` }), 'p.yaml'), {});
  t.same(
    ['', 'redis:\n', 'redis: {}\n', 'redis: { url: "redis://a" }\n'].map((more) => load(more).namesRedis),
    [false, false, true, true],
  );
  const { namedLists, config } = load('listen: { denyFrom: [192.0.2.1, { list: bad }] }\n');
  t.ok(config);
  t.match(namedLists, [
    {
      name: 'bad',
      unknown: {
        severity: 'error',
        line: 2,
        column: 41,
        field: 'listen.denyFrom[1].list',
        message: 'listen.denyFrom[1].list is the name of no address list.',
      },
    },
  ]);
  const noted = loadConfig(
    join(t.testdir({ 'p.yaml': 'apis: { a: { upstream: "http://a", enforcement: report } }\n' }), 'p.yaml'),
    {},
  );
  t.match(noted.notes, [{ severity: 'note', field: 'apis.a.enforcement' }]);
  t.same(noted.problems, []);
});
