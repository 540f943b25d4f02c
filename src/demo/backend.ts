/**
 * A backend to try Postern with: it answers the UserFlux routes, checks no key at all, and keeps what it received, shown at
 * GET /demo/received. Only for demonstrations: it listens on loopback unless told otherwise, and stores nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface DemoBackendOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly integrationPort: number;
  readonly metricsPort: number;
}

export interface DemoBackend {
  readonly integration: Server;
  readonly metrics: Server;
  readonly close: () => void;
}

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly json?: unknown;
}

type Routes = (request: Received) => Answer;

const KEPT_REQUESTS = 50;
const KEPT_BODY_BYTES = 16_384;

/** Starts both APIs. Rejects when a port cannot be had. */
export async function startDemoBackend({
  host,
  integrationPort,
  metricsPort,
}: DemoBackendOptions): Promise<DemoBackend> {
  const integration = apiServer(integrationRoutes);
  const metrics = apiServer(metricsRoutes());
  const close = (): void => {
    for (const server of [integration, metrics]) {
      server.close();
      server.closeAllConnections();
    }
  };
  try {
    await listen(integration, integrationPort, host);
    await listen(metrics, metricsPort, host);
  } catch (error) {
    close();
    throw error;
  }
  return { integration, metrics, close };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function apiServer(routes: Routes): Server {
  const received: Received[] = [];
  return createServer((req, res) => {
    void readBody(req).then((body) => {
      const request = { method: req.method ?? '', path: req.url ?? '', headers: req.headers, body };
      if (request.method === 'GET' && request.path === '/demo/received')
        return send(res, { status: 200, json: received });
      received.unshift(request);
      received.length = Math.min(received.length, KEPT_REQUESTS);
      return send(res, routes(request));
    }, res.destroy.bind(res));
  });
}

/** The beginning of a body; the rest is read and dropped. */
async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    if (bytes < KEPT_BODY_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(chunks).toString('utf8', 0, KEPT_BODY_BYTES);
}

function send(res: ServerResponse, { status, json }: Answer): void {
  if (json === undefined) res.writeHead(status).end();
  else res.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(json, null, 2)}\n`);
}

function integrationRoutes({ method, path }: Received): Answer {
  const route = `${method} ${path.split('?', 1)[0]}`;
  if (/^POST \/(event\/ingest(\/batch)?|profile|workflow\/trigger|product)$/.test(route)) return { status: 204 };
  if (/^DELETE \/product\/[^/]+\/[^/]+$/.test(route)) return { status: 204 };
  const user = /^GET \/profile\/([^/]+)$/.exec(route)?.[1];
  if (user === undefined) return { status: 404, json: { error: 'no such route' } };
  return { status: 200, json: { id: user, anonymousIds: [], properties: {}, computedProperties: {}, segments: [] } };
}

/** Query results carry a running number: the same number twice came from a cache. */
function metricsRoutes(): Routes {
  let computations = 0;
  return ({ method, path }) => {
    const route = `${method} ${path.split('?', 1)[0]}`;
    const query = /^POST \/metrics\/query(?:\/([^/]+))?$/.exec(route);
    if (query === null) return { status: 404, json: { error: 'no such route' } };
    return { status: 200, json: { metric: query[1] ?? 'ad-hoc', computation: ++computations, rows: [{ value: 42 }] } };
  };
}
