/** What every request to the guarded part goes through, whichever operation it is for. */
import { Readable } from 'node:stream';
import Fastify, { type LightMyRequestResponse } from 'fastify';
import t, { type Test } from 'tap';
import { createAdminTokens } from '../../src/admin/admin-tokens.ts';
import { registerAdminApi } from '../../src/admin/api.ts';
import type { OpenApiDocument } from '../support/admin-client.ts';
import type { StaticFiles } from '../../src/admin/static.ts';
import { ConfigSchema, type Config } from '../../src/config/schema.ts';
import { createRecentRejections } from '../../src/observability/recent-rejections.ts';
import { createSummary } from '../../src/observability/summary.ts';
import { loadedKey, storedWorld } from '../support/admin-operations.ts';
import { NOON, rulesOf } from '../support/passages.ts';

const EDITOR = 'the-token-of-the-editor';
const VIEWER = 'the-token-of-the-viewer';
const TOKENS = [
  { id: 'ed', role: 'editor', value: EDITOR },
  { id: 'vi', role: 'viewer', value: VIEWER },
];
const bearer = (token = EDITOR) => ({ authorization: `Bearer ${token}` });
const JSON_BODY = { 'content-type': 'application/json' };
const configWith = (tokens: readonly object[]): Config =>
  ConfigSchema.parse({ admin: { tokens }, apis: { integration: { upstream: 'http://127.0.0.1:9' } } });

const FILES: StaticFiles = new Map([
  ['/', { body: Buffer.from('<html>'), type: 'text/html; charset=utf-8', etag: '"page"', cacheControl: 'no-cache' }],
  ['/assets/a.js', { body: Buffer.from('a()'), type: 'text/javascript', etag: '"a"', cacheControl: 'immutable' }],
]);

interface Sent {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer | Readable;
}

async function started(t: Test, { tokens = TOKENS, files = FILES }: { tokens?: object[]; files?: StaticFiles } = {}) {
  const world = storedWorld([loadedKey({ id: 'web', type: 'write-only', secret: 'the-secret-of-web' })]);
  const config = configWith(tokens);
  const admins = createAdminTokens(config.admin);
  const counts = { purged: 0, files: 0, seed: 0 };
  const logged: Record<string, unknown>[] = [];
  const log = (msg: string, fields: object = {}) => void logged.push({ msg, ...fields });
  const status = { up: true, why: null, lastSyncAt: NOON, invalidDefinitions: 0, loaded: true };
  const server = Fastify();
  registerAdminApi(server, {
    host: '127.0.0.1',
    hosts: [],
    store: () => world.store,
    source: {
      kind: 'file',
      status: () => status,
      lists: () => [],
      start: async () => undefined,
      reload: async () => undefined,
      close: async () => undefined,
    },
    reload: async () => undefined,
    rules: () => ({ ...rulesOf([]), keys: world.snapshot() ?? rulesOf([]).keys }),
    config: () => config,
    now: () => NOON,
    recent: createRecentRejections(),
    summary: createSummary(NOON),
    keys: world.snapshot,
    observer: null,
    version: '1.2.3',
    configStatus: () => ({ lastReloadSuccessful: true, lastLoaded: NOON }),
    samples: () => [],
    cache: { stats: () => null, purge: async () => void (counts.purged += 1) },
    tokens: admins,
    random: (bytes) => new Uint8Array(bytes).fill(++counts.seed),
    log: { info: log, warn: log },
    history: {
      look: () => undefined,
      begin: () => () => undefined,
      changed: async () => undefined,
      read: async () => ({ changes: [], why: null }),
      close: () => undefined,
    },
    files: () => ((counts.files += 1), files),
  });
  t.teardown(() => server.close());
  const ask = (method: string, url: string, { headers = {}, body }: Sent = {}): Promise<LightMyRequestResponse> =>
    server.inject({ method: method as 'GET', url, headers, ...(body !== undefined && { payload: body }) });
  const signIn = async (token = EDITOR): Promise<string> => {
    const { headers } = await ask('POST', '/api/session', { headers: JSON_BODY, body: JSON.stringify({ token }) });
    return String(headers['set-cookie']).split(';', 1)[0] ?? '';
  };
  return { ask, signIn, world, admins, counts, logged, server };
}

const codeOf = (answer: LightMyRequestResponse): string =>
  answer.payload === '' ? '' : ((JSON.parse(answer.payload) as { code?: string }).code ?? '');
const PURGE = ['POST', '/api/cache/purge'] as const;

const GUARDS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

t.test('without a token there is nothing, and with one there is at once', async (t) => {
  const { ask, admins, counts } = await started(t, { tokens: [] });
  const paths = ['/', '/api/keys', '/openapi.json', '/api/session', '/assets/a.js'];
  for (const path of paths) {
    const answer = await ask('GET', path, { headers: bearer() });
    t.same([answer.statusCode, codeOf(answer)], [404, 'not_found'], path);
  }
  t.equal(counts.files, 0, 'the console is not even read');
  admins.replace(configWith(TOKENS).admin);
  for (const path of paths) t.equal((await ask('GET', path, { headers: bearer() })).statusCode, 200, path);
});

t.test('each answer keeps other pages out, whatever it is', async (t) => {
  const { ask } = await started(t);
  const answers = [
    [200, await ask('GET', '/api/keys', { headers: bearer() })],
    [401, await ask('GET', '/api/keys')],
    [404, await ask('GET', '/api/nothing', { headers: bearer() })],
    [405, await ask('PATCH', '/api/keys')],
    [421, await ask('GET', '/', { headers: { host: 'evil.example' } })],
    [403, await ask('GET', '/', { headers: { origin: 'https://evil.example' } })],
    [200, await ask('GET', '/')],
    [200, await ask('GET', '/openapi.json')],
  ] as const;
  for (const [status, answer] of answers) {
    t.equal(answer.statusCode, status);
    for (const [name, value] of Object.entries(GUARDS)) t.equal(answer.headers[name], value, `${status} ${name}`);
  }
  t.same(
    answers.map(([, { headers }]) => headers['cache-control']),
    [...Array.from({ length: 6 }, () => 'no-store'), 'no-cache', 'no-cache'],
  );
});

t.test('the console: its files, to be read alone, and not sent twice', async (t) => {
  const { ask, counts } = await started(t);
  t.equal(counts.files, 0);
  const page = await ask('GET', '/?a=b?c');
  t.same(
    [page.statusCode, page.payload, page.headers['content-type'], page.headers['etag']],
    [200, '<html>', 'text/html; charset=utf-8', '"page"'],
  );
  const script = await ask('GET', '/assets/a.js');
  t.same([script.payload, script.headers['cache-control'], script.headers['etag']], ['a()', 'immutable', '"a"']);
  const head = await ask('HEAD', '/');
  t.same([head.statusCode, head.headers['etag'], head.payload], [200, '"page"', '']);
  const known = await ask('GET', '/', { headers: { 'if-none-match': '"page"' } });
  t.same([known.statusCode, known.payload, known.headers['etag']], [304, '', '"page"']);
  t.equal((await ask('GET', '/', { headers: { 'if-none-match': '"a"' } })).statusCode, 200);
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    t.equal((await ask(method, '/')).statusCode, 404, method);
  for (const path of ['/assets/b.js', '/index.html', '/assets/', '/%2e%2e/secret', '//'])
    t.equal((await ask('GET', path)).statusCode, 404, path);
  t.match((await ask('GET', '/nothing')).json(), { code: 'not_found', detail: 'There is nothing here.' });
});

t.test('a console that was not built says so, in its place alone', async (t) => {
  const { ask } = await started(t, { files: new Map() });
  t.match((await ask('GET', '/')).json(), { status: 404, detail: /not built: run `npm run build`/ });
  t.match((await ask('GET', '/assets/a.js')).json(), { status: 404, detail: 'There is nothing here.' });
  const built = await started(t);
  t.match((await built.ask('POST', '/')).json(), { status: 404, detail: 'There is nothing here.' });
});

t.test('each path by every method: what there is, and that there is no more', async (t) => {
  const { ask } = await started(t);
  const { paths } = (await ask('GET', '/openapi.json')).json() as OpenApiDocument;
  t.equal((await ask('GET', '/openapi.json')).json().info.version, '1.2.3');
  for (const [template, operations] of Object.entries(paths)) {
    const own = Object.keys(operations).map((method) => method.toUpperCase());
    const url = template.replaceAll(/\{\w+\}/g, 'x');
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (template.endsWith('/stream') && method === 'GET') continue;
      const { statusCode, headers } = await ask(method, url);
      const isOpen = template === '/api/session' && (method === 'POST' || method === 'DELETE');
      if (own.includes(method)) t.equal(statusCode, method === 'DELETE' && isOpen ? 204 : isOpen ? 422 : 401, url);
      else t.same([statusCode, String(headers['allow']).split(', ').toSorted()], [405, own.toSorted()], url);
    }
  }
  for (const [template, operations] of Object.entries(paths)) {
    if (!('get' in operations) || template.endsWith('/stream')) continue;
    const url = template.replace('{id}', 'web').replace('{name}', 'integration');
    const { statusCode } = await ask('GET', url, { headers: bearer() });
    const isThere = !/observed|suggestion|policies\/|lists\//.test(url);
    t.equal(statusCode, isThere ? 200 : /policies|lists/.test(url) ? 404 : 409, url);
  }
  t.equal((await ask('PUT', '/api/keys')).json().detail, 'Here GET, HEAD, and POST can be used.');
  t.equal((await ask('PUT', '/api/keys')).json().code, 'method_not_allowed');
});

t.test('a stream that is not begun is refused like anything else', async (t) => {
  const { ask } = await started(t);
  const answer = await ask('GET', '/api/rejections/stream?limit=1', { headers: bearer() });
  t.same([answer.statusCode, codeOf(answer), answer.headers['etag']], [422, 'invalid_request', undefined]);
});

t.test('by the role: a viewer reads and asks, an editor changes', async (t) => {
  const { ask, counts } = await started(t);
  const asViewer = { headers: bearer(VIEWER) };
  for (const path of ['/api/keys', '/api/status', '/api/session'])
    t.equal((await ask('GET', path, asViewer)).statusCode, 200);
  const refused = await ask(...PURGE, asViewer);
  t.same([refused.statusCode, codeOf(refused), counts.purged], [403, 'forbidden', 0]);
  const question = JSON.stringify({ keyId: 'web', ip: '192.0.2.1', method: 'GET', path: '/' });
  const explained = await ask('POST', '/api/explain', {
    headers: { ...bearer(VIEWER), ...JSON_BODY },
    body: question,
  });
  t.same([explained.statusCode, explained.headers['etag']], [200, undefined], 'an answer to a question has no tag');
  t.equal((await ask(...PURGE, { headers: bearer() })).statusCode, 204);
  t.equal(counts.purged, 1);
});

t.test('a change with a session has to be deliberate, and one with a token is', async (t) => {
  const { ask, signIn, counts } = await started(t);
  const cookie = await signIn();
  const purge = async (headers: Record<string, string>) => {
    const answer = await ask(...PURGE, { headers: { cookie, ...headers } });
    return [answer.statusCode, codeOf(answer)];
  };
  for (const type of ['', 'text/plain', 'text/x; a=application/json', 'application/jsonx', 'xapplication/json'])
    t.same(await purge(type === '' ? {} : { 'content-type': type }), [403, 'foreign_origin'], type);
  t.equal(counts.purged, 0);
  for (const headers of [
    JSON_BODY,
    { 'content-type': 'Application/JSON; charset=utf-8' },
    { 'x-requested-with': '' },
    { 'x-requested-with': 'console', 'content-type': 'application/json' },
  ])
    t.same(await purge(headers), [204, ''], JSON.stringify(headers));
  t.equal(counts.purged, 4);
  for (const method of ['GET', 'HEAD'])
    t.equal((await ask(method, '/api/keys', { headers: { cookie } })).statusCode, 200);
  t.equal((await ask(...PURGE, { headers: bearer() })).statusCode, 204);
});

t.test('a body is JSON, read once, of bounded size and structure', async (t) => {
  const { ask } = await started(t);
  const explain = (body: string, type = 'application/json') =>
    ask('POST', '/api/explain', { headers: { ...bearer(), 'content-type': type }, body });
  const statusOf = async (body: string, type?: string) => (await explain(body, type)).statusCode;
  t.equal(await statusOf('x', 'text/plain'), 415);
  t.equal(await statusOf('a=b', 'application/x-www-form-urlencoded'), 415);
  t.equal(await statusOf('{}', 'application/json; charset=utf-8'), 422);
  t.equal(await statusOf(''), 422, 'none at all is no JSON either');
  t.equal(await statusOf('{'), 400);
  t.equal(await statusOf('1'), 422);
  t.equal(await statusOf('{"__proto__":{"a":1}}'), 400);
  t.equal(await statusOf('{"constructor":{"prototype":{"a":1}}}'), 400);
  const deep = await explain('['.repeat(9));
  t.equal(deep.statusCode, 400);
  t.match(deep.payload, /nested deeper than 8 levels/);
  const long = await explain(JSON.stringify({ path: 'a'.repeat(16_385) }));
  t.same(
    [long.statusCode, codeOf(long), long.json().findings],
    [422, 'invalid_request', [{ field: 'path', message: 'path must not be longer than 16384 characters.' }]],
  );
});

t.test('whoever has shown no token sends little', async (t) => {
  const { ask } = await started(t);
  const padded = (size: number, body: string): string => body + ' '.repeat(size - body.length);
  const signIn = async (size: number) => {
    const body = padded(size, JSON.stringify({ token: EDITOR }));
    return (await ask('POST', '/api/session', { headers: JSON_BODY, body })).statusCode;
  };
  t.same([await signIn(16_384), await signIn(16_385)], [204, 413]);
  const question = JSON.stringify({ keyId: 'web', ip: '192.0.2.1', method: 'GET', path: '/' });
  const headers = { ...bearer(), ...JSON_BODY };
  t.equal((await ask('POST', '/api/explain', { headers, body: padded(20_000, question) })).statusCode, 200);
  const unread = await ask('POST', '/api/explain', { headers: JSON_BODY, body: padded(2 ** 21, question) });
  t.equal(unread.statusCode, 401, 'before the body is looked at');
});

t.test('a token or a session that ends while the body comes changes nothing', async (t) => {
  const { ask, signIn, world, admins } = await started(t);
  const callers = [async () => bearer(), async () => ({ cookie: await signIn() })];
  for (const caller of callers) {
    const headers = await caller();
    async function* slowly() {
      yield '{"id":"new",';
      admins.replace(configWith(TOKENS.slice(1)).admin);
      yield '"type":"read-only"}';
    }
    const answer = await ask('POST', '/api/keys', {
      headers: { ...headers, ...JSON_BODY },
      body: Readable.from(slowly()),
    });
    t.same([answer.statusCode, codeOf(answer)], [401, 'invalid_token']);
    t.match(answer.json().detail, /Nothing was done/);
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="Postern admin"');
    admins.replace(configWith(TOKENS).admin);
  }
  t.equal(world.keys.length, 1);
});

t.test('what was asked for reaches the operation whole, and who asked is in the log', async (t) => {
  const { ask, world, counts, logged } = await started(t);
  const headers = { ...bearer(), ...JSON_BODY };
  const body = JSON.stringify({ id: 'new', type: 'read-only' });
  const create = (name: string) => ask('POST', '/api/keys', { headers: { ...headers, 'idempotency-key': name }, body });
  const [first, again] = [await create('one'), await create('one')];
  t.same([first.statusCode, again.payload], [201, first.payload]);
  t.equal(world.keys.length, 2);
  t.equal(codeOf(await create('two')), 'id_taken');
  for (let n = 0; n < 2; n++) await ask(...PURGE, { headers: { ...bearer(), 'idempotency-key': 'three' } });
  t.equal(counts.purged, 2, 'what makes nothing is done each time');
  const shown = await ask('GET', '/api/keys/new', { headers: bearer() });
  const etag = String(shown.headers['etag']);
  t.equal((await ask('GET', '/api/keys/new', { headers: { ...bearer(), 'if-none-match': etag } })).statusCode, 304);
  t.equal((await ask('GET', '/api/keys?of=x', { headers: bearer() })).statusCode, 422);
  const put = (ifMatch: string) =>
    ask('PUT', '/api/keys/new', { headers: { ...headers, 'if-match': ifMatch }, body: '{"type":"read-write"}' });
  t.same([(await put('"0"')).statusCode, (await put(etag)).statusCode], [412, 200]);
  const secret = first.json().key.secrets[0].id as string;
  t.equal(codeOf(await ask('DELETE', `/api/keys/new/secrets/${secret}`, { headers: bearer() })), 'last_secret');
  const made = await ask('PUT', '/api/policies/p', { headers: { ...headers, 'if-none-match': '*' }, body: '{}' });
  t.equal(made.statusCode, 201);
  const audited = logged.filter(({ msg }) => msg === 'audit');
  t.same(
    audited.map(({ action, who, address }) => `${String(action)} ${String(who)} ${String(address)}`),
    ['create_key', 'purge_cache', 'purge_cache', 'replace_key', 'create_policy'].map(
      (action) => `${action} ed 127.0.0.1`,
    ),
  );
});

t.test('signing in and out: who it is, and what ends with it', async (t) => {
  const { ask, signIn, logged } = await started(t);
  const cookie = await signIn(VIEWER);
  const session = async () => await ask('GET', '/api/session', { headers: { cookie } });
  t.same((await session()).json(), {
    who: 'vi',
    role: 'viewer',
    expiresAt: new Date(NOON + 12 * 3_600_000).toISOString(),
  });
  t.same((await ask('GET', '/api/session', { headers: bearer() })).json(), {
    who: 'ed',
    role: 'editor',
    expiresAt: null,
  });
  const wrong = await ask('POST', '/api/session', { headers: JSON_BODY, body: '{"token":"x"}' });
  t.same([wrong.statusCode, codeOf(wrong), wrong.headers['set-cookie']], [401, 'invalid_token', undefined]);
  t.equal((await ask('POST', '/api/session', { headers: JSON_BODY, body: '{}' })).statusCode, 422);
  const out = await ask('DELETE', '/api/session', { headers: { cookie } });
  t.equal(out.statusCode, 204);
  t.match(out.headers['set-cookie'], /^postern_session=; .*Max-Age=0/);
  t.equal((await session()).statusCode, 401);
  t.same(
    logged.map(({ msg, action, who }) => [msg, action, who]),
    [
      ['audit', 'sign_in', 'vi'],
      ['admin_token_refused', undefined, undefined],
    ],
  );
});
