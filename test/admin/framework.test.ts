/**
 * The framework of the guarded part: what it says of requests that it cannot take, and of what breaks inside.
 */
import t, { type Test } from 'tap';
import { createFramework } from '../../src/admin/framework.ts';

function framework(t: Test) {
  const logged: unknown[][] = [];
  const log = { error: (event: string, fields: unknown) => void logged.push([event, fields]) };
  const app = createFramework({ log, onSignInFailed: () => undefined });
  t.teardown(() => app.close());
  return { app, logged };
}

void t.test('an unknown path is a problem document that echoes nothing', async (t) => {
  const answer = await framework(t).app.inject('/nothing-here?token=s3cret');
  t.equal(answer.statusCode, 404);
  t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
  t.notMatch(answer.payload, 'nothing-here');
  t.notMatch(answer.payload, 's3cret');
});

void t.test('what breaks inside is logged and not shown', async (t) => {
  const { app, logged } = framework(t);
  app.get('/broken', async () => {
    throw new Error('the inside');
  });
  const answer = await app.inject('/broken');
  t.equal(answer.statusCode, 500);
  t.notMatch(answer.payload, 'the inside');
  t.equal(answer.json<{ code: string }>().code, 'internal_error');
  t.equal(logged.length, 1);
  t.equal(logged[0]?.[0], 'admin_request_failed');
  const [, fields] = logged[0] ?? [];
  t.equal((fields as { error: Error }).error.message, 'the inside');
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
