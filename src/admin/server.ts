/**
 * The operator's port: metrics and probes, which need no token, and the API and console, which do. Never reachable through the
 * data port, and never answers for a backend.
 */
import type { Server } from 'node:http';
import Fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { TlsTexts } from '../lib/certificate.ts';
import { hidePauses, keepPace } from '../lib/pipelining.ts';
import { secureOptions } from '../lib/secure-server.ts';
import type { Health } from '../observability/health.ts';
import type { Log } from '../observability/log.ts';
import { OPEN_METRICS_TYPE, prefersOpenMetrics, toOpenMetrics } from '../observability/open-metrics.ts';
import type { Metrics } from '../observability/prometheus.ts';
import { breakOffWhenStalled } from '../upstream/stall.ts';
import type { AdminApiPorts } from './api.ts';
import { ADMIN_PROBLEMS, problem, problemDocument, PROBLEM_MEDIA_TYPE, type AdminProblemCode } from './problem.ts';
import { SIGN_IN_PATH } from './session-operations.ts';

export interface AdminServerOptions {
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  readonly health: Health;
  readonly log: Pick<Log, 'error'>;
  /** null: plain HTTP. */
  readonly tls?: TlsTexts | null;
  /** Told of each wrong token, also of one that was not looked at because there were too many. */
  readonly onSignInFailed?: () => void;
  /** The API and the console; null: they are off, and nothing tells that they exist. */
  readonly api?: AdminApiPorts | null;
}

/** Not yet listening; close it last, so that probes and the last scrape are answered while the data port drains. */
export function createAdminServer({
  metrics,
  health,
  log,
  tls = null,
  onSignInFailed = () => undefined,
  api = null,
}: AdminServerOptions): FastifyInstance {
  const server: FastifyInstance = Fastify({
    https: tls && { ...secureOptions(tls), handshakeTimeout: REQUEST_MS },
    logger: false,
    schemaController: NO_SCHEMAS,
    requestTimeout: REQUEST_MS,
    bodyLimit: 1024 * 1024,
    // Without this, a live view or an idle scraper would hold up the end of the process.
    forceCloseConnections: true,
    return503OnClosing: false,
    // A path that the router cannot even read. Its own answer would be no problem document.
    frameworkErrors: (_error, _request, reply: FastifyReply) =>
      reply.code(400).type(PROBLEM_MEDIA_TYPE).send(problemDocument(UNREADABLE_PATH)),
  });

  boundConnections(server.server);

  server.get('/metrics', async ({ headers }, reply) => {
    const text = await metrics.text();
    reply.header('vary', 'Accept');
    return prefersOpenMetrics(headers.accept)
      ? reply.type(OPEN_METRICS_TYPE).send(toOpenMetrics(text))
      : reply.type(metrics.contentType).send(text);
  });

  server.get('/healthz', async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));

  server.get('/readyz', async (_request, reply) => {
    const why = health.why();
    reply.code(why === null ? 200 : 503).header('cache-control', 'no-store');
    return reply.send(why === null ? { status: 'ready' } : { status: health.readiness(), reason: why });
  });

  server.setNotFoundHandler(async (_request, reply) => {
    return reply
      .code(404)
      .type(PROBLEM_MEDIA_TYPE)
      .send(problemDocument(problem('not_found', 'There is nothing here.')));
  });

  server.setErrorHandler(async (error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    // The log says what went wrong inside; the caller learns only that the fault is not his.
    if (status >= 500) log.error('admin_request_failed', { error });
    const code = codeOf(status);
    const detail =
      code === 'internal_error' ? 'Something went wrong here. The request was not at fault.' : error.message;
    return reply.code(ADMIN_PROBLEMS[code].status).type(PROBLEM_MEDIA_TYPE).send(problemDocument({ code, detail }));
  });

  server.addHook('onResponse', async ({ method, routeOptions, headers }, { statusCode }) => {
    // By the route: the path may be written in more ways than one.
    const signsIn = method === 'POST' && routeOptions.url === SIGN_IN_PATH;
    const showedToken = headers.authorization !== undefined || signsIn;
    if (showedToken && (statusCode === 401 || statusCode === 429)) onSignInFailed();
  });

  // Loaded for whoever has it on: its schemas are a tenth of what a start costs.
  if (api !== null) void server.register(async (scope) => (await import('./api.ts')).registerAdminApi(scope, api));
  return server;
}

const UNREADABLE_PATH = problem('malformed_request', 'The path holds a `%` that begins no encoded text.');

const noSchemas = (): never => {
  throw new Error('no route has a schema of the framework');
};

/** What is sent is validated by our own schemas. The framework's two compilers would be a tenth of a start, and stay in memory. */
const NO_SCHEMAS = { compilersFactory: { buildValidator: () => noSchemas, buildSerializer: () => noSchemas } };

/** For how long a request, or the handshake before the first, may take to arrive. */
const REQUEST_MS = 30_000;
const MAX_CONNECTIONS = 1024;
/** For how long a client may take nothing of an answer. */
const IDLE_MS = 60_000;

/** Whoever reaches the port, with a token or without one, must not be able to fill the memory with answers. */
function boundConnections(server: Server): void {
  server.maxConnections = MAX_CONNECTIONS;
  server.prependListener('request', (req, res) => {
    keepPace(req, res);
    breakOffWhenStalled(res, IDLE_MS);
  });
  hidePauses(server);
}

/** What the server's own refusals are called: of bodies too large, of another type or malformed. */
function codeOf(status: number): AdminProblemCode {
  switch (status) {
    case 413:
      return 'body_too_large';
    case 415:
      return 'unsupported_media_type';
    default:
      return status >= 500 ? 'internal_error' : 'malformed_request';
  }
}
