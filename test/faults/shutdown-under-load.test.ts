import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { startBalancer } from '../support/balancer.ts';
import { portsOf, spawnPostern } from '../support/process.ts';

const SECRET = 'secret-of-the-server-key';
const KEY = { id: 'server', type: 'read-write', secret: SECRET };
const headers = { authorization: `Bearer ${SECRET}` };
const listen = { host: '127.0.0.1', port: 0, shutdownGraceSeconds: 5 };

/** Clients that send one request after the other until told to stop; resolves to how often each status came. */
function startLoad(
  port: number,
  clients: number,
): { readonly stop: () => Promise<Map<string, number>>; readonly count: () => number } {
  const statuses = new Map<string, number>();
  const state = { over: false, count: 0 };
  const client = async (n: number): Promise<void> => {
    while (!state.over) {
      const init = n % 2 === 0 ? { headers } : { method: 'POST', headers, body: '{"a":1}' };
      const status = await fetch(`http://127.0.0.1:${port}/profile/${n}`, init).then(
        async (answer) => (await answer.arrayBuffer(), String(answer.status)),
        (error: Error) => error.message,
      );
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      state.count++;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  };
  const running = Array.from({ length: clients }, (_, n) => client(n));
  const stop = async () => {
    state.over = true;
    await Promise.all(running);
    return statuses;
  };
  return { stop, count: () => state.count };
}

t.test(
  'SIGTERM under load fails no request behind a balancer that honours readiness; kill -9 and a start lose nothing else',
  async (t) => {
    const backend = await startBackend(t, (_req, res) => void setTimeout(() => res.end('ok'), 5));
    const config = { listen, apis: { integration: { upstream: backend.url } } };
    const start = () => spawnPostern(t, { config, keys: [KEY] });
    const [first, second, third] = [start(), start(), start()];
    const balancer = await startBalancer(t);
    for (const replica of [first, second]) await balancer.add(await portsOf(replica));
    const load = startLoad(balancer.port, 4);
    const more = async (requests: number): Promise<void> => {
      for (const goal = load.count() + requests; load.count() < goal;)
        await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await more(50);
    first.child.kill('SIGTERM');
    t.equal(await first.exit, 0);
    await more(50);
    await balancer.add(await portsOf(third));
    await more(50);
    t.same([...(await load.stop()).keys()], ['200']);
    t.same(balancer.failures(), []);

    second.child.kill('SIGKILL');
    t.equal(await second.exit, null);
    const { data } = await portsOf(start());
    t.equal((await fetch(`http://127.0.0.1:${data}/profile/1`, { headers })).status, 200);
  },
);
