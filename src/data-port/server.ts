/**
 * The data port: one Node HTTP server under Fastify and @fastify/http-proxy. The gateway sees every request first; what it
 * admits while its body is still arriving goes through the framework to the proxy's catch-all route, whose handler sends it on.
 * Decides nothing about requests.
 */
import http, { type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { hidePauses, keepPace } from '../lib/pipelining.ts';

export interface DataPortSettings {
  readonly host: string;
  readonly port: number;
  /** PEM texts, or null for plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly requestTimeoutSeconds: number;
  readonly headersTimeoutSeconds: number;
  readonly keepAliveTimeoutSeconds: number;
  readonly maxConnections: number;
}

export interface DataPortHandlers {
  readonly request: (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) => void;
  readonly clientError: (error: NodeJS.ErrnoException, socket: IncomingMessage['socket']) => void;
  /** The handler of the proxy's route: the request was admitted. */
  readonly admitted: (req: IncomingMessage) => void;
}

export interface DataPort {
  readonly server: Server;
  /** Sends an admitted request through the framework to the proxy's route. */
  readonly route: (req: IncomingMessage, res: ServerResponse) => void;
  /** Binds the port; the promise fails when it cannot. */
  readonly listen: () => Promise<AddressInfo>;
  /** Stops accepting, and resolves when the last connection is closed. */
  readonly close: () => Promise<void>;
}

/** Node's default of 30 s would let a slow request live half a minute longer than its limit. */
const TIMEOUT_CHECK_MS = 500;

/** Node lowers the count of header fields it keeps by default, silently; the request form step counts them all. */
const NO_HEADER_COUNT_LIMIT = 0;

export async function createDataPort(settings: DataPortSettings, handlers: DataPortHandlers): Promise<DataPort> {
  const server = createServer(settings, handlers);
  let framework: RequestListener | null = null;
  const app = fastify({
    logger: false,
    // Requests that arrived before the port closed are still to be sent on.
    return503OnClosing: false,
    // The framework's own would write a second answer and cut off what is under way.
    clientErrorHandler: handlers.clientError,
    serverFactory: (listener) => {
      framework = listener;
      return server;
    },
  });
  await app.register(httpProxy, {
    // Required by the plugin and used by its stock handler alone, which ours replaces.
    upstream: 'http://upstream.invalid',
    httpMethods: ['GET'],
    handler: (request, reply) => {
      reply.hijack();
      handlers.admitted(request.raw);
    },
  });
  await app.ready();
  hidePauses(server);
  return {
    server,
    route: (req, res) => {
      // The request was read and judged already. Shown in this form, the framework has nothing to read differently.
      req.method = 'GET';
      req.url = '/';
      framework?.(req, res);
    },
    listen: async () => {
      await app.listen({ host: settings.host, port: settings.port });
      return server.address() as AddressInfo;
    },
    close: () => {
      // Connections that are busy now end with their answer; Node would keep them for a next request.
      server.keepAliveTimeout = 1;
      return app.close();
    },
  };
}

function createServer(settings: DataPortSettings, handlers: DataPortHandlers): Server {
  const options: http.ServerOptions = {
    requestTimeout: settings.requestTimeoutSeconds * 1000,
    headersTimeout: Math.min(settings.headersTimeoutSeconds, settings.requestTimeoutSeconds) * 1000,
    keepAliveTimeout: settings.keepAliveTimeoutSeconds * 1000,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    // A missing Host is refused by the request form step, with a problem document.
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
  };
  const server =
    settings.tls === null
      ? http.createServer(options)
      : https.createServer({ ...options, ...settings.tls, handshakeTimeout: options.headersTimeout });
  server.maxHeadersCount = NO_HEADER_COUNT_LIMIT;
  server.maxConnections = settings.maxConnections;
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
  server.on('connect', (req: IncomingMessage, socket) =>
    handlers.request(req, responseFor(req, socket as never), false),
  );
  return server;
}

function responseFor(req: IncomingMessage, socket: IncomingMessage['socket']): ServerResponse {
  // Node has let go of the socket: an error that nobody listens for would end the process.
  socket.on('error', () => socket.destroy());
  const res = new http.ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  res.on('finish', () => socket.destroySoon());
  return res;
}
