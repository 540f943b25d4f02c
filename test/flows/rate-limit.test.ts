import t from 'tap';
import { codeOf, startFlow, written } from '../support/flow.ts';
import { RawClient } from '../support/upstream.ts';

const KEY = {
  id: 'k',
  type: 'read-write',
  secret: 'secret-of-a-limited-key',
  rateLimit: { requests: 3, windowSeconds: 10 },
};
const OTHER = { id: 'o', type: 'read-write', secret: 'secret-of-another-key' };

t.test('over its limit a key gets 429 and the time to wait; others and a reload change nothing', async (t) => {
  let now = Date.UTC(2026, 0, 1);
  const { raw, postern, backend } = await startFlow(t, { keys: [KEY, OTHER], now: () => now });
  const send = (secret = KEY.secret) => raw(written({ secret, body: '{}' }));
  for (const at of [0, 4_000, 4_000]) {
    now = Date.UTC(2026, 0, 1) + at;
    t.equal((await send()).status, 204);
  }
  const refused = await send();
  t.same([refused.status, codeOf(refused), refused.headers['retry-after']], [429, 'rate_limited', '6']);
  t.equal(refused.closed, false, 'the connection stays usable');
  t.equal((await send(OTHER.secret)).status, 204);

  await postern.sidecar.reload();
  postern.writeKeys([KEY, OTHER, { id: 'new', type: 'read-write', secret: 'secret-of-a-new-key-here' }]);
  await postern.sidecar.reload();
  t.equal((await send('secret-of-a-new-key-here')).status, 204);
  t.equal((await send()).status, 429, 'a reload refills nothing');

  now = Date.UTC(2026, 0, 1) + 10_000;
  t.equal((await send()).status, 204, 'the first one has left the window');
  t.match(await send(), { status: 429, headers: { 'retry-after': '4' } }, 'no boundary admits twice the limit');
  t.equal(backend.requests.length, 6);
  t.equal(
    await postern.metric('postern_rejections_total{api="integration",key="k",reason="rate_limited",mode="enforce"}'),
    3,
  );
});

t.test('a refused request costs nothing of the limit', async (t) => {
  const limited = { ...KEY, rateLimit: { requests: 1, windowSeconds: 60 }, allowedEvents: ['a'] };
  const { raw } = await startFlow(t, { keys: [{ ...limited, type: 'write-only' }] });
  t.equal(codeOf(await raw(written({ secret: KEY.secret, method: 'GET' }))), 'method_not_allowed');
  t.equal((await raw(written({ secret: KEY.secret, body: '{"name":"a"}' }))).status, 204);
  t.equal(codeOf(await raw(written({ secret: KEY.secret, body: '{"name":"a"}' }))), 'rate_limited');
});

t.test(
  'answers say what is left of the limit: those of the backend, refusals, and none to keys without one',
  async (t) => {
    const { raw } = await startFlow(t, {
      keys: [KEY, OTHER],
      now: () => Date.UTC(2026, 0, 1),
      respond: (_req, res) =>
        void res.writeHead(200, { RateLimit: '"theirs";r=9;t=9', 'RateLimit-Policy': '"theirs";q=9;w=9' }).end(),
    });
    const told = async (secret: string) => {
      const { status, headers } = await raw(written({ secret, body: '{}' }));
      return [status, headers['ratelimit-policy'], headers['ratelimit']];
    };
    for (const left of [2, 1, 0]) t.same(await told(KEY.secret), [200, '"key";q=3;w=10', `"key";r=${left};t=10`]);
    t.same(await told(KEY.secret), [429, '"key";q=3;w=10', '"key";r=0;t=10']);
    t.same(
      await told(OTHER.secret),
      [200, '"theirs";q=9;w=9', '"theirs";r=9;t=9'],
      "the backend's own limits are its word",
    );
  },
);

t.test('requests that were held back for long, and end now, give nothing of the limit back', async (t) => {
  const START = Date.UTC(2026, 0, 1);
  let now = START;
  const { raw, postern } = await startFlow(t, { keys: [KEY], api: { credential: ['body:api_key'] }, now: () => now });
  const body = JSON.stringify({ api_key: KEY.secret });
  const whole = written({ secret: null, body });
  const held = new RawClient(t, postern.port);
  const fields = ['Expect: 100-continue', `Content-Length: ${body.length}`];
  held.write(written({ secret: null, fields }).toString('latin1'));
  await held.until('100 Continue');
  now = START + 20_000;
  for (let i = 0; i < 3; i += 1) t.equal((await raw(whole)).status, 204);
  held.write(body);
  await held.until('HTTP/1.1 429 ');
  t.equal((await raw(whole)).status, 429, 'and the limit is as it was');
  now = START + 30_000;
  t.equal((await raw(whole)).status, 204);
});
