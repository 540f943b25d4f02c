import t from 'tap';
import { main } from '../../src/main.ts';
import { ADMIN_TOKEN } from '../support/admin-client.ts';
import { capturedIo } from '../support/command-io.ts';
import { cacheStatus, startMetrics } from '../support/metrics-api.ts';

async function purge(token: string, ...args: readonly string[]) {
  const { io, out, err } = capturedIo({ env: { POSTERN_ADMIN_TOKEN: token } });
  const code = await main(['cache', 'purge', ...args], io);
  return { code, out: out.join(''), err: err.join('') };
}

t.test('what was kept is asked for again after a purge, and nothing is emptied with a wrong token', async (t) => {
  const { postern, obtainToken, query } = await startMetrics(t, { admin: { token: ADMIN_TOKEN } });
  const token = await obtainToken();
  t.equal(cacheStatus(await query(token)), 'postern; fwd=miss; stored');

  const refused = await purge('not-the-token-of-the-admin', '--admin', postern.adminUrl);
  t.equal(refused.code, 1);
  t.match(refused.err, /^The cache was not emptied: /);
  t.match(cacheStatus(await query(token)), /^postern; hit/);

  const done = await purge(ADMIN_TOKEN, '--admin', postern.adminUrl);
  t.same(done, { code: 0, out: 'The cache is empty.', err: '' });
  t.equal(cacheStatus(await query(token)), 'postern; fwd=miss; stored');
});

t.test('a sidecar that does not run is said so', async (t) => {
  const { code, err } = await purge(ADMIN_TOKEN, '--admin', 'http://127.0.0.1:9');
  t.equal(code, 70);
  t.match(err, /^The cache was not emptied: http:\/\/127\.0\.0\.1:9 cannot be asked: /);
});
