import { writeFileSync } from 'node:fs';
import t from 'tap';
import { stringify } from 'yaml';
import { startBackend } from '../support/backend.ts';
import { SERVER_KEY, SERVER_SECRET } from '../support/flow.ts';
import { portsOf, spawnPostern } from '../support/process.ts';

const listen = { host: '127.0.0.1', port: 0, shutdownGraceSeconds: 1 };
const headers = { authorization: `Bearer ${SERVER_SECRET}` };

/** The text of a configuration with so many routes. */
const withRoutes = (count: number, upstream: string): string =>
  stringify({
    listen,
    admin: { port: 0 },
    apis: {
      integration: {
        upstream,
        routes: Array.from({ length: count }, (_, n) => ({
          method: 'POST',
          path: `/v1/thing${n}/:id`,
          events: 'name',
        })),
      },
    },
  });

t.test('a storm of reloads is made into few, and requests go on', async (t) => {
  const backend = await startBackend(t, (_req, res) => void res.end('ok'));
  for (const routes of [1500, 1]) {
    const postern = spawnPostern(t, { config: withRoutes(routes, backend.url), keys: [SERVER_KEY] });
    const { data } = await portsOf(postern);
    const reloads = () => postern.stdout().split('"msg":"config_reloaded"').length - 1;
    const signals: boolean[] = [];
    let served = 0;
    const statuses = new Set<number>();
    // Many at a time: on a busy machine such a moment may come late, and Postern has rested by then.
    const storm = setInterval(() => {
      for (let n = 0; n < 10; n++) signals.push(postern.child.kill('SIGHUP'));
    }, 5);
    while (signals.length < 2000 || reloads() === 0) {
      statuses.add((await fetch(`http://127.0.0.1:${data}/x`, { headers })).status);
      served++;
    }
    clearInterval(storm);
    t.same([...statuses], [200]);
    t.ok(reloads() < signals.length / 2, `${reloads()} reloads for ${signals.length} signals`);
    t.ok(served > reloads() / 4, `${served} requests during ${reloads()} reloads`);
    // The last one counts: what was changed before it is seen.
    writeFileSync(
      postern.keysFile,
      stringify({ keys: [SERVER_KEY, { ...SERVER_KEY, id: 'b', secret: 'another-secret-of-it' }] }),
    );
    postern.child.kill('SIGHUP');
    await postern.line(({ msg, keys }) => msg === 'keys_loaded' && keys === 2);
    postern.child.kill('SIGTERM');
    t.equal(await postern.exit, 0);
  }
});
