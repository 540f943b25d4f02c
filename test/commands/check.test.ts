import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCheck } from '../../src/commands/check.ts';
import { capturedIo } from '../support/command-io.ts';

const API = 'apis: { integration: { upstream: http://127.0.0.1:9000 } }\n';
const KEY = `id: a, type: write-only, secrets: [{ hash: "sha256:${'0'.repeat(64)}" }]`;

async function check(t: Test, files: Record<string, string>, strict = false) {
  const directory = t.testdir(files);
  const { io, out, err } = capturedIo();
  const code = await runCheck({ config: join(directory, 'postern.yaml'), strict, json: false }, io);
  return {
    code,
    lines: out.map((line) => line.replaceAll(`${directory}/`, '')),
    summary: err.join('\n').replaceAll(`${directory}/`, ''),
  };
}

t.test('nothing to find', async (t) => {
  const files = { 'postern.yaml': API, 'keys.yaml': `keys: [{ ${KEY}, allowedOrigins: [] }]\n` };
  for (const strict of [false, true])
    t.same(await check(t, files, strict), { code: 0, lines: [], summary: 'postern.yaml: no findings' });
});

t.test('warnings are allowed, unless it is strict', async (t) => {
  const files = { 'postern.yaml': API, 'keys.yaml': `keys:\n  - { ${KEY} }\n` };
  const lenient = await check(t, files);
  t.equal(lenient.code, 0);
  t.match(lenient.lines, [/^keys\.yaml:2:5 warning keys\[0\] lets any web page/]);
  t.equal(lenient.summary, 'postern.yaml: 0 errors, 1 warning');
  const strict = await check(t, files, true);
  t.equal(strict.code, 1);
  t.match(strict.lines, [/^keys\.yaml:2:5 error keys\[0\] lets any web page/]);
});

t.test('a note is no mistake, however strict the check is', async (t) => {
  const routes = '    routes: [{ method: POST, path: /a, events: name }]\n';
  const files = {
    'postern.yaml': `apis:\n  integration:\n    upstream: http://127.0.0.1:9000\n${routes}`,
    'keys.yaml': `keys: [{ ${KEY}, allowedOrigins: [] }]\n`,
  };
  for (const strict of [false, true]) {
    const { code, lines, summary } = await check(t, files, strict);
    t.equal(code, 0);
    t.match(lines, [/^postern\.yaml:4:14 note apis\.integration\.routes\[0\] carries events and lists no `query`/]);
    t.equal(summary, 'postern.yaml: 0 errors, 0 warnings, 1 note');
  }
});

t.test('errors in both files are told together', async (t) => {
  const { code, lines } = await check(t, { 'postern.yaml': 'log: { level: x }\n', 'keys.yaml': 'keys: [{ id: A }]\n' });
  t.equal(code, 1);
  t.match(lines[0], /^postern\.yaml:1:1 error apis is missing/);
  t.match(lines[1], /^postern\.yaml:1:15 error log\.level must be one of/);
  t.ok(lines.slice(2).every((line) => line.startsWith('keys.yaml:1:')) && lines.length > 3);
});

t.test('missing files', async (t) => {
  t.match(await check(t, {}), {
    code: 1,
    lines: ['postern.yaml:1:1 error The file cannot be read: it does not exist.'],
  });
  t.match(await check(t, { 'postern.yaml': API }), {
    code: 1,
    lines: [/^keys\.yaml:1:1 error The file cannot be read/],
  });
});

t.test('with keys in Redis, the file that would be pushed is read if it is there', async (t) => {
  const config = `${API}keys: { source: redis }\nlisten: { denyFrom: [{ list: in-redis }] }\n`;
  t.match(await check(t, { 'postern.yaml': config }), { code: 0 });
  t.match(await check(t, { 'postern.yaml': config, 'keys.yaml': 'keys: [{ id: A }]\n' }), {
    code: 1,
    lines: [
      /^keys\.yaml:1:8 error keys\[0\] needs a secret/,
      /^keys\.yaml:1:8 error keys\[0\]\.type/,
      /^keys\.yaml:1:14 error keys\[0\]\.id/,
    ],
  });
  const valid = `keys: [{ ${KEY}, allowedOrigins: [] }]\n`;
  t.match(await check(t, { 'postern.yaml': config, 'keys.yaml': valid }), { code: 0, lines: [] });
});

t.test('the shipped examples have no findings', async (t) => {
  const { io, out } = capturedIo();
  t.equal(await runCheck({ config: 'config/postern.yaml', strict: true, json: false }, io), 0, out.join('\n'));
});

t.test('as JSON', async (t) => {
  const found = async (files: Record<string, string>, strict: boolean) => {
    const directory = t.testdir(files);
    const { io, out } = capturedIo();
    const code = await runCheck({ config: join(directory, 'postern.yaml'), strict, json: true }, io);
    return { code, ...(JSON.parse(out.join('\n').replaceAll(`${directory}/`, '')) as { findings: unknown[] }) };
  };
  const files = { 'postern.yaml': API, 'keys.yaml': `keys:\n  - { ${KEY} }\n` };
  const finding = {
    file: 'keys.yaml',
    line: 2,
    column: 5,
    severity: 'warning',
    field: 'keys[0]',
    message: 'keys[0] lets any web page send any event; limit `allowedEvents` or `allowedOrigins`.',
  };
  t.strictSame(await found(files, false), { code: 0, findings: [finding] });
  t.strictSame(await found(files, true), { code: 1, findings: [{ ...finding, severity: 'error' }] });
  t.strictSame(await found({ ...files, 'keys.yaml': `keys: [{ ${KEY}, allowedOrigins: [] }]\n` }, true), {
    code: 0,
    findings: [],
  });
});

t.test('what the files say of each other', async (t) => {
  const lists =
    'addressLists:\n  office: [192.0.2.1]\n  cdn: { file: cdn.txt }\n  gone: { file: gone.txt }\npolicies: { p: { mode: report } }\n';
  const { code, lines } = await check(t, {
    'postern.yaml': `listen: { denyFrom: [{ list: offce }, { list: cdn }] }\n${API}`,
    'keys.yaml': `keys:\n  - { ${KEY}, allowedOrigins: [], apis: [integration, integrations] }\n${lists}`,
    'cdn.txt': '# ranges\n192.0.2.0/24\n<html>\n',
  });
  t.equal(code, 1);
  t.match(lines, [
    /^keys\.yaml:2:\d+ error keys\[0\]\.apis\[1\] is the name of no API: "integrations"; did you mean "integration"\?/,
  ]);
  const named = await check(t, {
    'postern.yaml': `listen: { denyFrom: [{ list: offce }, { list: cdn }] }\n${API}`,
    'keys.yaml': `keys:\n  - { ${KEY}, allowedOrigins: [] }\n${lists}`,
    'cdn.txt': '# ranges\n192.0.2.0/24\n<html>\n',
  });
  t.equal(named.code, 1);
  t.match(named.lines, [
    /^postern\.yaml:1:\d+ error listen\.denyFrom\[0\]\.list is the name of no address list: "offce"; did you mean "office"\?/,
    /^cdn\.txt:3:1 error The address list cdn cannot be used: line 3 is no address/,
    /^gone\.txt:1:1 error The address list gone cannot be used: the file cannot be read: ENOENT/,
    /^keys\.yaml:4:3 warning addressLists\.office is used by nothing/,
    /^keys\.yaml:6:3 warning addressLists\.gone is used by nothing/,
    /^keys\.yaml:7:\d+ warning policies\.p is used by nothing/,
  ]);
});

t.test('a list is not called unused while what names it cannot be read', async (t) => {
  const { lines } = await check(t, {
    'postern.yaml': `listen: { port: many, denyFrom: [{ list: office }] }\n${API}`,
    'keys.yaml': `keys: [{ ${KEY}, allowedOrigins: [] }]\naddressLists: { office: [192.0.2.1] }\n`,
  });
  t.match(lines, [/^postern\.yaml:1:17 error listen\.port must be /]);
});

t.test('a key that may do everything everywhere', async (t) => {
  const key = KEY.replace('write-only', 'read-write');
  const lines = async (more: string, api: string) =>
    (
      await check(t, {
        'postern.yaml': API.replace(' } }', `${api} } }`),
        'keys.yaml': `keys: [{ ${key}, allowFrom: [192.0.2.1]${more} }]\n`,
      })
    ).lines;
  t.match(await lines('', ''), [
    /warning keys\[0\]\.allowedRoutes lets this key use every route of the API integration, listed or not/,
  ]);
  t.same(await lines('', ', unlisted: refuse'), []);
  t.same(await lines(', allowedRoutes: [GET /x]', ''), []);
  t.same(await lines(', allowedEvents: [x]', ''), []);
  t.same(await lines(', apis: []', ''), []);
});

t.test('a key limited to events where no route carries any', async (t) => {
  const findings = async (apis: string, key: string): Promise<string[]> => {
    const files = {
      'postern.yaml': `apis:\n${apis}`,
      'keys.yaml': `keys:\n  - { ${KEY}, allowedOrigins: [], ${key} }\n`,
    };
    return (await check(t, files)).lines;
  };
  const orders =
    '  orders: { upstream: "http://127.0.0.1:9000", hosts: [a.example], routes: [{ method: POST, path: /a }] }\n';
  const collector = '  collector: { upstream: "http://127.0.0.1:9000", preset: segment }\n';
  const none = [
    /^keys\.yaml:2:\d+ warning keys\[0\]\.allowedEvents names events, but no API of this key lists a route/,
  ];
  t.match(await findings(orders, 'allowedEvents: [login]'), none);
  t.match(await findings(orders + collector, 'apis: [orders], allowedEvents: [login]'), none);
  t.same(await findings(orders + collector, 'allowedEvents: [login]'), []);
  t.same(await findings(orders + collector, 'apis: [collector], allowedEvents: [login]'), []);
  t.same(await findings(orders, 'allowedEvents: []'), [], 'it is limited to listed routes');
  t.same(await findings(orders, 'allowedEvents: all'), []);
});
