/**
 * The framework of the guarded part: what it says of requests that it cannot take, and of what breaks inside.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createFramework } from '../../src/admin/framework.ts';

function framework(t: Test, onSignInFailed: () => void = () => undefined) {
  const logged: unknown[][] = [];
  const log = { error: (event: string, fields: unknown) => void logged.push([event, fields]) };
  const app = createFramework({ log, onSignInFailed });
  t.teardown(() => app.close());
  return { app, logged };
}

void t.test('an unknown path is a problem document that echoes nothing', async (t) => {
  const answer = await framework(t).app.inject('/nothing-here?token=s3cret');
  t.same([answer.statusCode, answer.json().status, answer.json().code], [404, 404, 'not_found']);
  t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
  t.notMatch(answer.payload, 'nothing-here');
  t.notMatch(answer.payload, 's3cret');
});

void t.test('what breaks inside is logged and not shown', async (t) => {
  const { app, logged } = framework(t);
  app.get('/broken', async () => {
    throw new Error('the inside');
  });
  for (const statusCode of [500, 503])
    app.get(`/broken-${statusCode}`, async () => {
      throw Object.assign(new Error('the inside'), { statusCode });
    });
  const answer = await app.inject('/broken');
  t.equal(answer.statusCode, 500);
  t.notMatch(answer.payload, 'the inside');
  t.equal(answer.json<{ code: string }>().code, 'internal_error');
  t.equal(logged.length, 1);
  t.equal(logged[0]?.[0], 'admin_request_failed');
  const [, fields] = logged[0] ?? [];
  t.equal((fields as { error: Error }).error.message, 'the inside');
  for (const url of ['/broken-500', '/broken-503']) {
    const { statusCode, payload } = await app.inject(url);
    t.equal(statusCode, 500);
    t.notMatch(payload, 'the inside');
  }
  t.equal(logged.length, 3);
});

void t.test('a refusal of the framework itself says what was wrong', async (t) => {
  const { app, logged } = framework(t);
  t.equal(app.initialConfig.bodyLimit, 1_048_576);
  app.post('/there', async () => 'done');
  const post = (type: string, payload: string) =>
    app.inject({ method: 'POST', url: '/there', headers: { 'content-type': type }, payload });
  const problems: unknown[] = [];
  for (const answer of [
    await app.inject('/%'),
    await post('application/json', '{'),
    await post('text/strange', 'x'),
    await post('application/json', JSON.stringify('x'.repeat(2 ** 20))),
  ]) {
    const { code, detail } = answer.json<{ code: string; detail: string }>();
    problems.push([answer.statusCode, code, detail.startsWith('Something went wrong')]);
  }
  t.same(problems, [
    [400, 'malformed_request', false],
    [400, 'malformed_request', false],
    [415, 'unsupported_media_type', false],
    [413, 'body_too_large', false],
  ]);
  t.same(logged, []);
});

void t.test('a path that the router cannot read is a problem document', async (t) => {
  const answer = await framework(t).app.inject('/api/keys/%zz');
  t.same([answer.statusCode, answer.headers['content-type']], [400, 'application/problem+json; charset=utf-8']);
  t.match(answer.json(), { status: 400, code: 'malformed_request', detail: /a `%` that begins no encoded text/ });
});

const STATUSES = [200, 204, 401, 402, 403, 429, 430];

void t.test('a sign-in that failed is counted: a token that was shown and refused, wherever', async (t) => {
  let failed = 0;
  const { app } = framework(t, () => void (failed += 1));
  for (const status of STATUSES) {
    app.post(`/api/session${status === 401 ? '' : `-${status}`}`, async (_request, reply) => reply.code(status).send());
    app.get(`/${status}`, async (_request, reply) => reply.code(status).send());
  }
  app.get('/api/session', async (_request, reply) => reply.code(401).send());
  const counted = async (method: 'GET' | 'POST', url: string, token: boolean): Promise<number> => {
    const before = failed;
    await app.inject({ method, url, headers: token ? { authorization: 'Bearer x' } : {} });
    return failed - before;
  };
  for (const status of STATUSES) {
    t.equal(await counted('GET', `/${status}`, true), status === 401 || status === 429 ? 1 : 0, String(status));
    t.equal(await counted('GET', `/${status}`, false), 0, 'no token was shown');
  }
  t.equal(await counted('POST', '/api/session', false), 1, 'it is in the body');
  t.equal(await counted('POST', '/api/session?x=1', false), 1);
  t.equal(await counted('GET', '/api/session', false), 0);
  t.equal(await counted('POST', '/api/session-429', false), 0, 'another path');
});

void t.test('it writes no log of its own, and answers while it closes', async (t) => {
  const { app } = framework(t);
  t.notOk('bindings' in app.log);
  app.get('/', async () => 'here');
  const port = createServer((req, res) => app.routing(req, res)).listen(0, '127.0.0.1');
  await once(port, 'listening');
  t.teardown(() => port.close());
  const url = `http://127.0.0.1:${(port.address() as AddressInfo).port}/`;
  const statuses: number[] = [];
  app.addHook(
    'preClose',
    async () => void statuses.push((await fetch(url, { headers: { connection: 'close' } })).status),
  );
  await app.ready();
  await app.close();
  t.same(statuses, [200]);
});
