import { createHash } from 'node:crypto';
import t from 'tap';
import { codeOf, startFlow, written, SERVER_SECRET } from '../support/flow.ts';

const PAST = '2020-01-01T00:00:00Z';

t.test('every credential that is not valid is refused in one wording, told apart for the operator alone', async (t) => {
  const { backend, postern, raw } = await startFlow(t, {
    keys: [
      { id: 'server', type: 'read-write', secret: SERVER_SECRET },
      { id: 'off', type: 'read-write', enabled: false, secret: 'secret-of-a-disabled-key' },
      { id: 'late', type: 'read-write', expiresAt: PAST, secret: 'secret-of-an-expired-key' },
      {
        id: 'rotated',
        type: 'read-write',
        secrets: [{ value: 'secret-that-has-expired', expiresAt: PAST }, { value: 'secret-that-has-not' }],
      },
      { id: 'dash', type: 'metrics', apiKey: 'api-key-of-the-dashboard', secret: 'secret-of-the-dashboard' },
    ],
  });
  const cases: readonly (readonly [secret: string, reason: string, keyId: string])[] = [
    ['no-such-secret-anywhere', 'unknown', ''],
    [SERVER_SECRET.slice(0, -1), 'unknown', ''],
    [`${SERVER_SECRET}x`, 'unknown', ''],
    [SERVER_SECRET.toUpperCase(), 'unknown', ''],
    [`sha256:${'0'.repeat(64)}`, 'unknown', ''],
    ['constructor', 'unknown', ''],
    ['secret-of-the-dashboard', 'unknown', ''],
    ['api-key-of-the-dashboard', 'unknown', ''],
    ['secret-of-a-disabled-key', 'disabled', 'off'],
    ['secret-of-an-expired-key', 'expired', 'late'],
    ['secret-that-has-expired', 'expired', 'rotated'],
  ];
  const answers = new Set<string>();
  for (const [secret, reason, keyId] of cases) {
    const answer = await raw(written({ secret, body: '{}' }));
    t.match(answer, { status: 401, headers: { 'www-authenticate': 'Bearer', 'x-request-id': /./ } });
    t.equal(answer.headers['content-type'], 'application/problem+json');
    answers.add(answer.body.replace(/"requestId":"[^"]*"/, ''));
    t.match(postern.lines.at(-1), { msg: 'rejected', reason, keyId, status: 401 }, `${secret}: ${reason}`);
    t.notMatch(postern.logText(), secret);
  }
  t.equal(answers.size, 1);
  t.equal(backend.requests.length, 0);
  const counted = (key: string, reason: string) =>
    postern.metric(`postern_rejections_total{api="integration",key="${key}",reason="${reason}",mode="enforce"}`);
  t.same(
    await Promise.all([counted('', 'unknown'), counted('off', 'disabled'), counted('late', 'expired')]),
    [8, 1, 1],
  );
  t.equal((await raw(written({ secret: 'secret-that-has-not', body: '{}' }))).status, 204);
});

t.test('Bearer in any case and with any number of spaces, then the secret exactly', async (t) => {
  const { raw, backend } = await startFlow(t);
  const send = (value: string) => raw(written({ secret: null, fields: [`Authorization: ${value}`], body: '{}' }));
  for (const value of [`Bearer ${SERVER_SECRET}`, `bEARER    ${SERVER_SECRET}`, `BEARER ${SERVER_SECRET} `])
    t.equal((await send(value)).status, 204, value);
  const missing = ['Bearer', 'Bearer ', `Basic ${SERVER_SECRET}`, SERVER_SECRET, `Bearer\t${SERVER_SECRET}`, ''];
  for (const value of [...missing, `Bearer:${SERVER_SECRET}`, `Bearer${SERVER_SECRET}`]) {
    const answer = await send(value);
    t.same([answer.status, codeOf(answer)], [401, 'missing_credential'], JSON.stringify(value));
  }
  for (const value of [`Bearer "${SERVER_SECRET}"`, `Bearer ${SERVER_SECRET}, x`, `Bearer ${SERVER_SECRET} x`])
    t.equal(codeOf(await send(value)), 'invalid_credential', value);
  t.equal(backend.requests.length, 3);
});

t.test('a repeated Authorization is malformed, whichever of the two is right', async (t) => {
  const { raw, backend } = await startFlow(t);
  for (const other of ['Authorization: Bearer x', `authorization: Bearer ${SERVER_SECRET}`]) {
    const answer = await raw(written({ fields: [other], body: '{}' }), { untilClose: true });
    t.match(
      { code: codeOf(answer), closed: answer.closed, status: answer.status },
      {
        code: 'malformed_request',
        closed: true,
        status: 400,
      },
    );
  }
  t.equal(backend.requests.length, 0);
});

t.test('a secret beyond ASCII is compared by its bytes', async (t) => {
  const secret = 'schl\u00fcssel-mit-umlaut-\u20ac';
  const secrets = [{ hash: `sha256:${createHash('sha256').update(secret).digest('hex')}` }];
  const { raw } = await startFlow(t, { keys: [{ id: 'k', type: 'read-write', secrets }] });
  const utf8 = Buffer.from(secret).toString('latin1');
  t.equal((await raw(written({ secret: utf8, body: '{}' }))).status, 204);
});
