import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that was free a moment ago, and whose Cluster bus port exists. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    await new Promise((done) => server.close(done));
    if (typeof address === 'object' && address !== null && address.port <= 55_535) return address.port;
  }
}
