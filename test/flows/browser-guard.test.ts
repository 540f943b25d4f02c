import t from 'tap';
import { codeOf, SERVER_KEY, SERVER_SECRET, startFlow, WEB_KEY, WEB_SECRET, written } from '../support/flow.ts';

const ORIGIN = 'https://shop.example';

t.test('a key that reads is refused in a web page, unless it says otherwise', async (t) => {
  const { raw, backend } = await startFlow(t, {
    keys: [SERVER_KEY, { id: 'tool', type: 'read-write', secret: 'secret-of-an-internal-tool', allowBrowsers: true }],
  });
  for (const field of [`Origin: ${ORIGIN}`, 'Origin: null', 'Sec-Fetch-Site: same-origin', 'sec-fetch-site: none']) {
    const answer = await raw(written({ fields: [field], body: '{}' }));
    t.same([answer.status, codeOf(answer)], [403, 'browser_not_allowed'], field);
    const allowed = written({ secret: 'secret-of-an-internal-tool', fields: [field], body: '{}' });
    t.equal((await raw(allowed)).status, 204, field);
  }
  t.equal((await raw(written({ body: '{}', secret: SERVER_SECRET }))).status, 204, 'no page, no guard');
  t.equal(backend.requests.length, 5);
});

t.test('a write-only key is for the pages that it names', async (t) => {
  const { raw, backend } = await startFlow(t, { keys: [{ ...WEB_KEY, allowedOrigins: [ORIGIN] }] });
  const send = (...fields: readonly string[]) => raw(written({ secret: WEB_SECRET, fields, body: '{}' }));
  t.equal((await send(`Origin: ${ORIGIN}`)).status, 204);
  t.equal((await send()).status, 204, 'collectors send no Origin');
  t.equal((await send('Sec-Fetch-Site: cross-site')).status, 204);
  const foreign = [
    'https://evil.example',
    `${ORIGIN}.evil.example`,
    `${ORIGIN}:8443`,
    'http://shop.example',
    'null',
    '',
  ];
  for (const origin of [
    ...foreign,
    `${ORIGIN}/`,
    ORIGIN.toUpperCase(),
    `${ORIGIN}, ${ORIGIN}`,
    `${ORIGIN} ${ORIGIN}`,
  ]) {
    const answer = await send(`Origin: ${origin}`);
    t.same([answer.status, codeOf(answer)], [403, 'origin_not_allowed'], origin);
    t.equal(answer.headers['access-control-allow-origin'], undefined, 'a foreign page cannot read it');
  }
  t.equal(codeOf(await send(`Origin: ${ORIGIN}`, 'Origin: https://evil.example')), 'origin_not_allowed');
  t.equal(backend.requests.length, 3);
});

t.test('a key for every origin is usable from any page', async (t) => {
  const { raw } = await startFlow(t, { keys: [{ ...WEB_KEY, allowedOrigins: ['*'] }] });
  for (const origin of [ORIGIN, 'null', 'http://localhost:3000'])
    t.equal(
      (await raw(written({ secret: WEB_SECRET, fields: [`Origin: ${origin}`], body: '{}' }))).status,
      204,
      origin,
    );
});
