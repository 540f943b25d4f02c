/**
 * The data port: one Node HTTP server, and under it Fastify with @fastify/http-proxy for the lane of bodies that are still arriving
 * when their request is admitted (docs/decisions/0004-two-lanes.md). Decides nothing about requests.
 */
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import httpProxy from '@fastify/http-proxy';
import fastify, { type HTTPMethods } from 'fastify';
import type { TlsTexts } from '../lib/certificate.ts';
import { hidePauses, keepPace, onceAnswered } from '../lib/pipelining.ts';
import { secureOptions } from '../lib/secure-server.ts';
import { serveHalfClosed } from './half-closed.ts';
import { markUnixPeers, recordOf } from './socket-record.ts';
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
  /** Sends a request through the framework to the proxy's route, which calls `then`. */
  readonly openStreamLane: (req: IncomingMessage, res: ServerResponse, then: () => void) => void;
  /** Begins to hand requests over. Before, they are not answered. */
  readonly serve: (handlers: DataPortHandlers) => void;
  /** Binds the port, or makes the socket; the promise fails when it cannot. Told is where: of a socket, its path. */
  readonly listen: () => Promise<AddressInfo | string>;
  /** Stops accepting, and resolves when the last connection is closed. */
  readonly close: () => Promise<void>;
}

/** Never on the wire: the name under which the framework knows the lane. */
const STREAM_LANE = '/stream';
/** Those that Node parses with a body; the request form refuses CONNECT and TRACE. */
const METHODS = http.METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE') as HTTPMethods[];

/** Node's default of 30 s would let a slow request live half a minute longer than its limit. */
const TIMEOUT_CHECK_MS = 500;

/** Newer than the types. */
const SHARED = { reusePort: true };

/** By default Node silently drops fields beyond a limit; the request form rung counts them all. */
const NO_HEADER_COUNT_LIMIT = 0;

export async function createDataPort(settings: DataPortSettings): Promise<DataPort> {
  const server = createServer(settings);
  const closeUnused = watchUnused(server);
  const arriving = new WeakMap<IncomingMessage, () => void>();
  const app = fastify({
    logger: false,
    // Requests that arrived before the port closed are still to be sent on.
    return503OnClosing: false,
    serverFactory: () => server,
    // The path was read and judged already, and must not be read a second time.
    rewriteUrl: () => STREAM_LANE,
  });
  // This way the framework leaves the body and its type alone.
  for (const method of METHODS) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  await app.register(httpProxy, {
    // Required by the plugin and used by its stock handler alone, which ours replaces.
    upstream: 'http://upstream.invalid',
    prefix: STREAM_LANE,
    httpMethods: METHODS,
    handler: (request, reply) => {
      reply.hijack();
      arriving.get(request.raw)?.();
    },
  });
  await app.ready();
  const { address } = settings;
  let onSocket: UnixListener | null = null;
  return {
    server,
    openStreamLane: (req, res, then) => {
      arriving.set(req, then);
      app.routing(req, res);
    },
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
      // The framework's own would write a second answer and cut off what is under way.
      server.removeAllListeners('clientError').on('clientError', handlers.clientError);
      hidePauses(server);
    },
    listen: async () => {
      if ('path' in address) {
        markUnixPeers(server);
        onSocket = await listenOnSocket(server, address.path);
      } else await app.listen(settings.reusePort ? { ...address, ...SHARED } : address);
      return server.address() as AddressInfo | string;
    },
    close: () => {
      // Connections that are busy now end with their answer; Node would keep them for a next request.
      server.keepAliveTimeout = 1;
      // Requests that have reached this machine by now are read within the turn.
      setImmediate(closeUnused);
      return Promise.all([app.close(), onSocket?.close()]).then(() => undefined);
    },
  };
}

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
