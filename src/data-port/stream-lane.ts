/**
 * The lane of bodies that are still arriving when their request is admitted: Fastify with @fastify/http-proxy
 * (docs/decisions/0004-two-lanes.md). Has no server of its own, and decides nothing about requests.
 */
import { METHODS, Server, type IncomingMessage, type ServerResponse } from 'node:http';
import httpProxy from '@fastify/http-proxy';
import fastify, { type HTTPMethods } from 'fastify';

export interface StreamLane {
  /** Sends a request through the framework to the proxy's route, which calls `then`. */
  readonly open: (req: IncomingMessage, res: ServerResponse, then: () => void) => void;
  readonly close: () => Promise<void>;
}

/** Never on the wire: the name under which the framework knows the lane. */
const STREAM_LANE = '/stream';
/** Those that Node parses with a body; the request form refuses CONNECT and TRACE. */
const WITH_BODY = METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE') as HTTPMethods[];

export async function createStreamLane(): Promise<StreamLane> {
  const arriving = new WeakMap<IncomingMessage, () => void>();
  const app = fastify({
    logger: false,
    // Requests that arrived before the port closed are still to be sent on.
    return503OnClosing: false,
    // A start that is slow has not failed.
    pluginTimeout: 0,
    // The framework wants one. It never listens: requests come from the data port's.
    serverFactory: () => new Server(),
    // The path was read and judged already, and must not be read a second time.
    rewriteUrl: () => STREAM_LANE,
  });
  // This way the framework leaves the body and its type alone.
  for (const method of WITH_BODY) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  await app.register(httpProxy, {
    // Required by the plugin and used by its stock handler alone, which ours replaces.
    upstream: 'http://upstream.invalid',
    prefix: STREAM_LANE,
    httpMethods: WITH_BODY,
    handler: (request, reply) => {
      reply.hijack();
      arriving.get(request.raw)?.();
    },
  });
  await app.ready();
  return {
    open: (req, res, then) => {
      arriving.set(req, then);
      app.routing(req, res);
    },
    close: () => app.close(),
  };
}
