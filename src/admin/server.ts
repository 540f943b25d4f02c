/**
 * The operator's port: metrics and probes, which need no token, and the API and console, which do. Never reachable through the
 * data port, and never answers for a backend.
 */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import http, { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import type { TlsTexts } from '../lib/certificate.ts';
import { hidePauses, keepPace } from '../lib/pipelining.ts';
import { secureOptions } from '../lib/secure-server.ts';
import { breakOffWhenStalled } from '../upstream/stall.ts';
import type { AdminApiPorts } from './api.ts';
import type { FrameworkOptions, GuardedPart } from './framework.ts';
import { createOpenPart, endWithProblem, INTERNAL_ERROR, NOTHING_HERE, type OpenPartPorts } from './open-part.ts';
import { problem, problemDocument, PROBLEM_MEDIA_TYPE } from './problem.ts';

export interface AdminServerOptions extends OpenPartPorts, Partial<Pick<FrameworkOptions, 'onSignInFailed'>> {
  /** null: plain HTTP. */
  readonly tls?: TlsTexts | null;
  /** The API and the console. While it has no token, and where it is null, nothing tells that they exist. */
  readonly api?: AdminApiPorts | null;
}

export interface AdminServer {
  readonly server: Server;
  readonly listen: (at: { readonly host: string; readonly port: number }) => Promise<void>;
  /** To be called last, so that probes and the last scrape are answered while the data port drains. */
  readonly close: () => Promise<void>;
}

/** For how long a request, or the handshake before the first, may take to arrive. */
const REQUEST_MS = 30_000;
/** Longer than most scrapers and balancers wait between two requests. */
const KEEP_ALIVE_MS = 72_000;
const MAX_CONNECTIONS = 1024;
/** For how long a client may take nothing of an answer. */
const IDLE_MS = 60_000;

/** Not yet listening. */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  const server = createServer(options.tls ?? null);
  const answerOpenly = createOpenPart(options);
  const guarded = createLateGuardedPart(options);
  let second: TcpServer | null = null;
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    keepPace(req, res);
    breakOffWhenStalled(res, IDLE_MS);
    if (!answerOpenly(req, res)) guarded.open(req, res);
  });
  server.on('clientError', refuseUnread);
  hidePauses(server);
  return {
    server,
    async listen(at) {
      await listenAt(server, at);
      if (at.host === 'localhost') second = await listenOnOther(server);
    },
    async close() {
      await guarded.close();
      second?.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A live view or an idle scraper would hold up the end of the process.
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Whoever reaches the port, with a token or without one, must not be able to fill the memory with connections. */
function createServer(tls: TlsTexts | null): Server {
  const options: http.ServerOptions = { requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  const server =
    tls === null
      ? http.createServer(options)
      : https.createServer({ ...options, ...secureOptions(tls), handshakeTimeout: REQUEST_MS });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/** Loaded for the first request that it has to answer: the framework and the schemas of the API are a quarter of a start. */
function createLateGuardedPart({ log, onSignInFailed = () => undefined, api = null }: AdminServerOptions): GuardedPart {
  let loading: Promise<GuardedPart> | null = null;
  const load = async (ports: AdminApiPorts): Promise<GuardedPart> => {
    const { createGuardedPart } = await import('./framework.ts');
    // The framework is loaded now. What follows takes as long again, and other requests need not wait for both.
    await new Promise(setImmediate);
    return createGuardedPart({ log, onSignInFailed }, ports);
  };
  return {
    open(req, res) {
      if (api === null || (loading === null && !api.tokens.any())) return endWithProblem(res, NOTHING_HERE);
      loading ??= load(api);
      loading.then(
        (part) => part.open(req, res),
        (error: Error) => {
          log.error('admin_request_failed', { error });
          endWithProblem(res, INTERNAL_ERROR);
        },
      );
    },
    close: async () => (await loading?.catch(() => null))?.close(),
  };
}

async function listenAt(server: TcpServer, at: { readonly host: string; readonly port: number }): Promise<void> {
  server.listen(at);
  await once(server, 'listening');
}

/** `localhost` is two addresses, of which Node takes one; where the other cannot be used, nobody asks for it. */
async function listenOnOther(server: Server): Promise<TcpServer | null> {
  const { address, port } = server.address() as AddressInfo;
  const all = await lookup('localhost', { all: true }).catch(() => []);
  const other = all.find((found) => found.address !== address);
  if (other === undefined) return null;
  const second = createTcpServer(
    { allowHalfOpen: true, noDelay: true },
    (socket) => void server.emit('connection', socket),
  );
  second.maxConnections = MAX_CONNECTIONS;
  return listenAt(second, { host: other.address, port }).then(
    () => second,
    () => null,
  );
}

/** What Node could not read, or did not get in time. */
function refuseUnread({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = UNREAD[code ?? ''] ?? 400;
  const document = problemDocument(problem('malformed_request', 'The request could not be read.'));
  const body = JSON.stringify({ ...document, title: STATUS_CODES[status], status });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`,
  );
}

const UNREAD: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };
