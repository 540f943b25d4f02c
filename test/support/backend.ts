/**
 * A real backend for flow tests: records each request as it came over the wire and answers as it is told.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Backend {
  readonly url: string;
  readonly port: number;
  readonly requests: RecordedRequest[];
  /** Resolves with the next request that arrives whole. */
  readonly next: () => Promise<RecordedRequest>;
}

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

/**
 * For servers of tests: they close no connection that rests. Node's five seconds pass on a busy machine, and whoever then sends on a
 * connection that is being closed is told of a reset that no test is about.
 */
export const KEPT = { keepAliveTimeout: 600_000 } as const;

/** Starts a backend on a free loopback port; it ends with the test. By default it answers 204. */
export async function startBackend(
  t: Disposer,
  respond: (req: RecordedRequest, res: ServerResponse) => void = (_req, res) => void res.writeHead(204).end(),
): Promise<Backend> {
  const requests: RecordedRequest[] = [];
  const waiting: ((request: RecordedRequest) => void)[] = [];
  const server = http.createServer(KEPT, (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const { method = '', url = '', rawHeaders, headers } = req;
      const recorded = { method, url, rawHeaders, headers, body: Buffer.concat(chunks) };
      requests.push(recorded);
      waiting.shift()?.(recorded);
      respond(recorded, res);
    });
  });
  // Node 24 refuses more than a thousand fields, which are what is forwarded here at most, and some of Postern's.
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    requests,
    url: `http://127.0.0.1:${port}`,
    next: () => new Promise((resolve) => void waiting.push(resolve)),
  };
}
