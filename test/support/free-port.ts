import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to whoever names none, 32768 and up on Linux: of those, one that was free a moment ago may be
 * anybody's connection by now. With their Cluster bus ports, which are 10,000 higher.
 */
const FIRST = 10_000;
const COUNT = 12_000;

/** A port that nobody has, and that nobody gets without naming it; nor its Cluster bus port. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  await new Promise((done) => server.close(done));
  return true;
}
