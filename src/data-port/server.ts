/**
 * The data port: one Node HTTP server, and under it the lane of bodies that are still arriving when their request is admitted.
 * Decides nothing about requests.
 */
import { once } from 'node:events';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { TlsTexts } from '../lib/certificate.ts';
import { hidePauses, keepPace, onceAnswered } from '../lib/pipelining.ts';
import { secureOptions } from '../lib/secure-server.ts';
import { serveHalfClosed } from './half-closed.ts';
import { markUnixPeers, recordOf } from './socket-record.ts';
import type { StreamLane } from './stream-lane.ts';
import { listenOnSocket, type UnixListener } from './unix-listener.ts';

export interface DataPortSettings {
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Several processes may listen on the same port. */
  readonly reusePort: boolean;
  /** null: plain HTTP. With authorities, clients must show a certificate that one of them signed. */
  readonly tls: TlsTexts | null;
  readonly requestTimeoutSeconds: number;
  readonly headersTimeoutSeconds: number;
  /** Of a whole header section. */
  readonly maxHeaderBytes: number;
  readonly keepAliveTimeoutSeconds: number;
  readonly maxConnections: number;
}

/** Where the server hands requests over, before the framework sees anything of them. */
export interface DataPortHandlers {
  readonly request: (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) => void;
  readonly clientError: (error: NodeJS.ErrnoException, socket: IncomingMessage['socket']) => void;
}

export interface DataPort {
  readonly server: Server;
  /** As the lane's `open`. The lane is loaded for the first request. */
  readonly openStreamLane: StreamLane['open'];
  /** Begins to hand requests over. Before, they are not answered. */
  readonly serve: (handlers: DataPortHandlers) => void;
  /** Binds the port, or makes the socket; the promise fails when it cannot. Told is where: of a socket, its path. */
  readonly listen: () => Promise<AddressInfo | string>;
  /** Stops accepting, and resolves when the last connection is closed. */
  readonly close: () => Promise<void>;
}

/** Node's default of 30 s would let a slow request live half a minute longer than its limit. */
const TIMEOUT_CHECK_MS = 500;

/** Newer than the types. */
const SHARED = { reusePort: true };

/** By default Node silently drops fields beyond a limit; the request form rung counts them all. */
const NO_HEADER_COUNT_LIMIT = 0;

export function createDataPort(settings: DataPortSettings): DataPort {
  const server = createServer(settings);
  const closeUnused = watchUnused(server);
  const lane = createLateLane();
  const { address } = settings;
  let onSocket: UnixListener | null = null;
  return {
    server,
    openStreamLane: lane.open,
    serve: (handlers) => {
      server.on('request', (req, res) => {
        keepPace(req, res);
        handlers.request(req, res, false);
      });
      server.on('checkContinue', (req, res) => {
        keepPace(req, res);
        handlers.request(req, res, true);
      });
      server.on('checkExpectation', (req, res) => {
        keepPace(req, res);
        handlers.request(req, res, false);
      });
      // With this listener Node parses CONNECT; without it, it closes the connection without an answer.
      server.on('connect', (req: IncomingMessage) => {
        const { socket } = req;
        // Node has let go of the socket: an error that nobody listens for would end the process.
        socket.on('error', () => socket.destroy());
        onceAnswered(socket, () => handlers.request(req, responseFor(req, socket), false));
      });
      server.on('clientError', handlers.clientError);
      hidePauses(server);
    },
    listen: async () => {
      if ('path' in address) {
        markUnixPeers(server);
        onSocket = await listenOnSocket(server, address.path);
      } else await listen(server, settings.reusePort ? { ...address, ...SHARED } : address);
      return server.address() as AddressInfo | string;
    },
    close: () => {
      // Connections that are busy now end with their answer; Node would keep them for a next request.
      server.keepAliveTimeout = 1;
      // Requests that have reached this machine by now are read within the turn.
      setImmediate(closeUnused);
      return Promise.all([onSocket === null ? closed(server) : onSocket.close(), lane.close()]).then(() => undefined);
    },
  };
}

/** Loaded for the first that needs it: most backends get small requests alone, and the framework's proxy is a fifth of a start. */
function createLateLane(): StreamLane {
  let lane: StreamLane | null = null;
  let loading: Promise<StreamLane> | null = null;
  const load = async (): Promise<StreamLane> => (lane = await (await import('./stream-lane.ts')).createStreamLane());
  return {
    open: (req, res, then) => {
      if (lane !== null) return lane.open(req, res, then);
      loading ??= load();
      // It decides nothing: where it cannot be loaded, the request goes on all the same.
      loading.then((loaded) => loaded.open(req, res, then), then).catch(() => res.destroy());
    },
    close: async () => (await loading?.catch(() => null))?.close(),
  };
}

async function listen(server: Server, options: ListenOptions): Promise<void> {
  server.listen(options);
  await once(server, 'listening');
}

/** Also of one that does not listen. It stops accepting once what has reached this machine is read. */
const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => void setImmediate(() => server.close(() => resolve())));

function createServer(settings: DataPortSettings): Server {
  const options: http.ServerOptions = {
    requestTimeout: settings.requestTimeoutSeconds * 1000,
    headersTimeout: Math.min(settings.headersTimeoutSeconds, settings.requestTimeoutSeconds) * 1000,
    keepAliveTimeout: settings.keepAliveTimeoutSeconds * 1000,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    // A missing Host is refused by the request form rung, with a problem document.
    requireHostHeader: false,
    maxHeaderSize: settings.maxHeaderBytes,
    insecureHTTPParser: false,
    noDelay: true,
  };
  const server =
    settings.tls === null
      ? http.createServer(options)
      : https.createServer({
          ...options,
          ...secureOptions(settings.tls),
          handshakeTimeout: options.headersTimeout,
          allowHalfOpen: true,
        });
  server.maxHeadersCount = NO_HEADER_COUNT_LIMIT;
  server.maxConnections = settings.maxConnections;
  serveHalfClosed(server);
  return server;
}

/** Node does not count a connection without a request as idle: those of balancers and browsers would hold up the close. */
function watchUnused(server: Server): () => void {
  const open = new Set<Socket>();
  const watch = (socket: Socket): void => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  server.on('connection', watch).on('secureConnection', watch);
  return () => {
    for (const socket of open) if (socket.bytesRead <= recordOf(socket).proxyHeaderLength) socket.destroy();
  };
}

function responseFor(req: IncomingMessage, socket: IncomingMessage['socket']): ServerResponse {
  const res = new http.ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  res.on('finish', () => socket.destroySoon());
  return res;
}
