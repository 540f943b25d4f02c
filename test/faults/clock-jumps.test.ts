import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { cacheStatus, startMetrics } from '../support/metrics-api.ts';
import { startPostern } from '../support/postern.ts';

const HOUR = 3_600_000;
const SECRET = 'secret-of-the-server-key';

t.test(
  'a clock that is set back neither refills a rate limit nor locks a key for as long as it was wrong',
  async (t) => {
    let now = Date.now();
    const backend = await startBackend(t);
    const postern = await startPostern(t, {
      now: () => now,
      config: { apis: { integration: { upstream: backend.url } } },
      keys: [{ id: 'server', type: 'read-write', secret: SECRET, rateLimit: { requests: 3, windowSeconds: 60 } }],
    });
    const ask = async (): Promise<number> =>
      (await fetch(`${postern.url}/profile/1`, { headers: { authorization: `Bearer ${SECRET}` } })).status;
    t.same([await ask(), await ask(), await ask(), await ask()], [204, 204, 204, 429]);
    now -= HOUR;
    t.equal(await ask(), 429, 'nothing is refilled');
    now += 61_000;
    t.equal(await ask(), 204, 'a window later it is over');
    now += 24 * HOUR;
    t.same([await ask(), await ask(), await ask(), await ask()], [204, 204, 204, 429]);
  },
);

t.test('tokens and cached answers follow the clock both ways, and nothing is served from the future', async (t) => {
  let now = Date.now();
  const { backend, obtainToken, query } = await startMetrics(t, { now: () => now });
  const token = await obtainToken();
  t.match(cacheStatus(await query(token)), /stored/);
  now -= HOUR;
  t.equal((await query(await obtainToken())).status, 200);
  t.equal(backend.requests.length, 2, 'an entry from an hour ahead is not fresh');
  now += 2 * HOUR;
  t.equal((await query(token)).status, 401, 'expired');
  t.match(cacheStatus(await query(await obtainToken())), /stored/);
  now += 10 * 365 * 24 * HOUR;
  t.match(cacheStatus(await query(await obtainToken())), /stored/);
});
