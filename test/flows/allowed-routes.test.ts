/** Keys that may use some routes, and an API that serves listed routes alone. */
import t from 'tap';
import { codeOf, SERVER_SECRET, startFlow, written } from '../support/flow.ts';

const PARTNER = { id: 'partner', type: 'read-write', secret: 'secret-of-the-partner-key' };
const ALLOWED = ['GET /v1/orders/:id', 'POST /v1/notes', '* /v1/own/**'];

t.test('a key has its routes alone, in every reading', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    api: { routes: [] },
    listen: { allowPathQuirks: ['encoded-slash', 'encoded-percent', 'double-slash', 'semicolon'] },
    keys: [{ ...PARTNER, allowedRoutes: ALLOWED }],
  });
  const send = (method: string, target: string, fields: readonly string[] = []) =>
    raw(written({ secret: PARTNER.secret, method, target, fields }));
  for (const [method, target] of [
    ['GET', '/v1/orders/7'],
    ['HEAD', '/V1/Orders/7/?a=b'],
    ['POST', '/v1/notes'],
    ['PATCH', '/v1/own/a/b'],
    ['GET', '/v1/orders/7;v=1'],
    ['GET', '/v1/orders/a%20b'],
  ] as const)
    t.equal((await send(method, target)).status, 204, `${method} ${target}`);
  const passed = backend.requests.length;
  t.equal(passed, 6);
  for (const [method, target] of [
    ['DELETE', '/v1/orders/7'],
    ['GET', '/v1/orders'],
    ['GET', '/v1/orders/'],
    ['GET', '/v1/orders//'],
    ['GET', '/v1//orders/7'],
    ['GET', '/v1/orders%2F7'],
    ['GET', '/v1/orders/7%2Fsecrets'],
    ['GET', '/v1/orders/7%252Fsecrets'],
    ['GET', '/v1/orders/7/secrets'],
    ['GET', '/v1;x/orders/7'],
    ['GET', '/v1/orders;x%2F7'],
    ['GET', '/v1/own'],
    ['GET', '/v1/own//a'],
    ['GET', '/v1/notes'],
    ['POST', '/v1/note%C5%BF'],
    ['GET', '/v1/orders%3F/7'],
  ] as const) {
    const answer = await send(method, target);
    t.equal(answer.status >= 400, true, target);
    if (answer.status === 403) t.equal(codeOf(answer), 'route_not_allowed', target);
  }
  t.match(postern.lines.at(-1), {
    reason: 'route_not_allowed',
    rule: 'allowedRoutes of key partner',
    keyId: 'partner',
  });
  for (const name of ['X-HTTP-Method-Override', 'X_Method_Override'])
    await send('POST', '/v1/notes', [`${name}: DELETE`]);
  t.notMatch(backend.requests.at(-1)?.rawHeaders.join(' '), 'DELETE');
  t.equal(codeOf(await send('POST', '/v1/notes?_method=DELETE')), 'method_not_allowed');
  const form = written({
    secret: PARTNER.secret,
    target: '/v1/notes',
    fields: ['Content-Type: application/x-www-form-urlencoded'],
    body: '_method=DELETE',
  });
  t.equal(codeOf(await raw(form)), 'unsupported_media_type');
  await raw(written({ secret: PARTNER.secret, target: '/v1/notes', body: '_method=DELETE' }));
  t.equal(backend.requests.at(-1)?.headers['content-type'], 'application/octet-stream');
  t.equal(backend.requests.length, passed + 3);
});

t.test('a key in report mode is told of, and passes', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    keys: [{ ...PARTNER, allowedRoutes: ALLOWED, mode: 'report' }],
  });
  t.equal((await raw(written({ secret: PARTNER.secret, method: 'DELETE', target: '/v1/orders/7' }))).status, 204);
  t.equal(backend.requests.length, 1);
  t.match(postern.lines.at(-1), { msg: 'would_reject', reason: 'route_not_allowed', mode: 'report' });
});

const ROUTES = [
  { method: 'GET', path: '/v1/orders/:id' },
  { method: 'POST', path: '/v1/upload', forms: true },
  { method: 'POST', path: '/v1/note' },
];

t.test('an API that serves listed routes alone does so for every key', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    api: { routes: ROUTES, unlisted: 'refuse' },
    keys: [
      { id: 'server', type: 'read-write', secret: SERVER_SECRET },
      { ...PARTNER, mode: 'report' },
    ],
  });
  const send = (method: string, target: string, more: { secret?: string; fields?: string[]; body?: string } = {}) =>
    raw(written({ secret: SERVER_SECRET, method, target, ...more }));
  t.equal((await send('GET', '/V1/orders/7/')).status, 204);
  const form = { fields: ['Content-Type: application/x-www-form-urlencoded'], body: 'a=b&_method=DELETE' };
  t.equal((await send('POST', '/v1/upload', form)).status, 204, 'whose backend reads no method there');
  t.equal((await send('POST', '/v1/note', { body: '_method=DELETE' })).status, 204);
  t.equal(backend.requests.at(-1)?.headers['content-type'], 'application/octet-stream');
  for (const [method, target, more, code] of [
    ['GET', '/v1/orders', {}, 'route_not_allowed'],
    ['DELETE', '/v1/orders/7', {}, 'route_not_allowed'],
    ['POST', '/v1/not%C3%A9', {}, 'route_not_allowed'],
    ['POST', '/v1/note?_method=DELETE', {}, 'method_not_allowed'],
    ['POST', '/v1/note', form, 'unsupported_media_type'],
    // A key in report mode is not let out of what the API is for.
    ['GET', '/v1/orders', { secret: PARTNER.secret }, 'route_not_allowed'],
    ['POST', '/v1/note?_method=DELETE', { secret: PARTNER.secret }, 'method_not_allowed'],
    ['GET', '/v1/nothing', { secret: 'no-such-secret-anywhere' }, 'invalid_credential'],
  ] as const)
    t.equal(codeOf(await send(method, target, { ...more } as object)), code, `${method} ${target}`);
  t.match(
    postern.lines.find(({ reason }) => reason === 'route_not_allowed'),
    { rule: 'unlisted: refuse of API integration', mode: 'enforce' },
  );
  t.equal(backend.requests.length, 3);
});

t.test('report mode of the API lets what is not listed pass, and says so', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    api: { routes: ROUTES, unlisted: 'refuse', enforcement: 'report' },
  });
  t.equal((await raw(written({ method: 'GET', target: '/v1/other' }))).status, 204);
  t.match(postern.lines.at(-1), { msg: 'would_reject', reason: 'route_not_allowed', mode: 'report' });
  t.equal(backend.requests.length, 1);
});
