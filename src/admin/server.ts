/**
 * The operator's port: metrics and probes, which need no token. The API and the console are registered on it by others.
 * Never reachable through the data port, and never answers for a backend.
 */
import Fastify from 'fastify';
import type { FastifyError, FastifyInstance } from 'fastify';
import type { Health } from '../observability/health.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/prometheus.ts';

export interface AdminServerOptions {
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  readonly health: Health;
  readonly log: Pick<Log, 'error'>;
}

/** Not yet listening; close it last, so that probes and the last scrape are answered while the data port drains. */
export function createAdminServer({ metrics, health, log }: AdminServerOptions): FastifyInstance {
  const server = Fastify({
    logger: false,
    requestTimeout: 30_000,
    bodyLimit: 1024 * 1024,
    // Without this, a live view or an idle scraper would hold up the end of the process.
    forceCloseConnections: true,
    return503OnClosing: false,
  });

  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));

  server.get('/healthz', async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));

  server.get('/readyz', async (_request, reply) => {
    const why = health.why();
    reply.code(why === null ? 200 : 503).header('cache-control', 'no-store');
    return reply.send(why === null ? { status: 'ready' } : { status: health.readiness(), reason: why });
  });

  server.setNotFoundHandler(async (_request, reply) => reply.code(404).type(PROBLEM).send(problem(404, 'Not Found')));

  server.setErrorHandler(async (error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    // What went wrong inside is for the log; the caller learns that it was not his doing.
    if (status >= 500) log.error('admin_request_failed', { error });
    return reply
      .code(status)
      .type(PROBLEM)
      .send(status >= 500 ? problem(status, 'Internal Error') : problem(status, error.message));
  });

  return server;
}

const PROBLEM = 'application/problem+json';

/** A problem document (RFC 9457) without a type of its own. */
const problem = (status: number, title: string) => ({ type: 'about:blank', title, status });
