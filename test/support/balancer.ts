/**
 * A small load balancer that honours readiness: asks `/readyz` of each replica and sends new requests to those that are ready,
 * over connections that it keeps. Never sends a request twice.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { KEPT } from './backend.ts';

export interface Replica {
  readonly data: number;
  readonly admin: number;
}

export interface Balancer {
  readonly port: number;
  readonly add: (replica: Replica) => Promise<void>;
  /** Answers of the balancer itself: no replica, or one that failed. */
  readonly failures: () => readonly string[];
}

const PROBE_MS = 50;

export async function startBalancer(t: { readonly teardown: (dispose: () => unknown) => void }): Promise<Balancer> {
  const replicas = new Map<Replica, boolean>();
  const failures: string[] = [];
  const agent = new http.Agent({ keepAlive: true });
  let turn = 0;
  const probe = async (replica: Replica): Promise<void> => {
    const ready = await fetch(`http://127.0.0.1:${replica.admin}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    replicas.set(replica, ready);
  };
  const server = http.createServer(KEPT, (req, res) => {
    const ready = [...replicas].flatMap(([replica, isReady]) => (isReady ? [replica] : []));
    const chosen = ready[turn++ % Math.max(1, ready.length)];
    const fail = (why: string): void => {
      failures.push(why);
      res.writeHead(599).end();
    };
    if (chosen === undefined) return fail('no replica is ready');
    const { method, url, headers } = req;
    const forwarded = http.request(
      { host: '127.0.0.1', port: chosen.data, agent, method, path: url, headers },
      (answer) => {
        res.writeHead(answer.statusCode ?? 0);
        answer.on('error', (error) => fail(error.message)).pipe(res);
      },
    );
    forwarded.on('error', (error) => fail(error.message));
    req.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const probing = setInterval(() => {
    for (const replica of replicas.keys()) void probe(replica);
  }, PROBE_MS);
  t.teardown(() => {
    clearInterval(probing);
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, add: probe, failures: () => failures };
}
