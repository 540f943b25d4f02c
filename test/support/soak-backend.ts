/** The backend of a soak: answers small and large, goes away for a second, and can hold what it is asked. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SoakBackend {
  readonly url: string;
  readonly flap: () => void;
  /** Whether it is away, or was a moment ago. */
  readonly isFlapping: () => boolean;
  readonly connections: () => Promise<number>;
  /** Requests for `/profile/hold` that wait. */
  readonly held: () => number;
  readonly release: () => void;
  readonly closeIdle: () => void;
}

interface Owner {
  readonly teardown: (dispose: () => unknown) => unknown;
}

/** Longer than any soak: a connection that a closed pool left open stays, and is seen. */
const KEEP_ALIVE_MS = 3_600_000;

export async function startSoakBackend(owner: Owner): Promise<SoakBackend> {
  let answered = 0;
  let backAt = 0;
  const held = new Set<ServerResponse>();
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    req.resume().on('end', () => {
      if (req.url === '/profile/hold') return void held.add(res.on('close', () => held.delete(res)));
      const size = answered++ % 50 === 0 ? 200_000 : 200;
      setTimeout(
        () => res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify('x'.repeat(size))),
        answered % 7,
      );
    });
  };
  const server = http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, answer);
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  owner.teardown(close);
  return {
    url: `http://127.0.0.1:${port}`,
    flap: () => {
      backAt = Date.now() + 1000;
      close();
      setTimeout(() => void listen(port), 1000);
    },
    isFlapping: () => Date.now() < backAt + 2000,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
    held: () => held.size,
    release: () => {
      for (const res of held) res.end('released');
    },
    closeIdle: () => server.closeIdleConnections(),
  };
}
