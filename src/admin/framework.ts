/**
 * The guarded part of the admin port, in Fastify: what it cannot read, what it does not know and what breaks inside are problem
 * documents. Has no server of its own, and is loaded for the first request that asks for more than metrics and probes.
 */
import { Server, type IncomingMessage, type ServerResponse } from 'node:http';
import Fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { Log } from '../observability/log.ts';
import type { AdminApiPorts } from './api.ts';
import { INTERNAL_ERROR, NOTHING_HERE } from './open-part.ts';
import { ADMIN_PROBLEMS, problem, problemDocument, PROBLEM_MEDIA_TYPE, type AdminProblemCode } from './problem.ts';
import { SIGN_IN_PATH } from './session-operations.ts';

export interface FrameworkOptions {
  readonly log: Pick<Log, 'error'>;
  /** Told of each wrong token, also of one that was not looked at because there were too many. */
  readonly onSignInFailed: () => void;
}

export interface GuardedPart {
  readonly open: (req: IncomingMessage, res: ServerResponse) => void;
  /** Ends the live views. */
  readonly close: () => Promise<void>;
}

/** The API and the console, ready for requests. */
export async function createGuardedPart(options: FrameworkOptions, api: AdminApiPorts): Promise<GuardedPart> {
  const app = createFramework(options);
  // By itself, so that the two do not keep other requests waiting in one go.
  void app.register(async (scope) => (await import('./api.ts')).registerAdminApi(scope, api));
  await app.ready();
  return { open: (req, res) => app.routing(req, res), close: () => app.close() };
}

/** Without a route. */
export function createFramework({ log, onSignInFailed }: FrameworkOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    logger: false,
    // The framework wants one. It never listens: requests come from the port's own.
    serverFactory: () => new Server(),
    schemaController: NO_SCHEMAS,
    bodyLimit: 1024 * 1024,
    return503OnClosing: false,
    // What it loads comes as soon as the machine can: slow is not failed.
    pluginTimeout: 0,
    // A path that the router cannot even read. Its own answer would be no problem document.
    frameworkErrors: (_error, _request, reply: FastifyReply) =>
      reply.code(400).type(PROBLEM_MEDIA_TYPE).send(problemDocument(UNREADABLE_PATH)),
  });

  app.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).type(PROBLEM_MEDIA_TYPE).send(problemDocument(NOTHING_HERE)),
  );

  app.setErrorHandler(async (error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error('admin_request_failed', { error });
    const code = codeOf(status);
    const told = code === INTERNAL_ERROR.code ? INTERNAL_ERROR : problem(code, error.message);
    return reply.code(ADMIN_PROBLEMS[code].status).type(PROBLEM_MEDIA_TYPE).send(problemDocument(told));
  });

  app.addHook('onResponse', async ({ method, routeOptions, headers }, { statusCode }) => {
    // By the route: the path may be written in more ways than one.
    const signsIn = method === 'POST' && routeOptions.url === SIGN_IN_PATH;
    const showedToken = headers.authorization !== undefined || signsIn;
    if (showedToken && (statusCode === 401 || statusCode === 429)) onSignInFailed();
  });
  return app;
}

const UNREADABLE_PATH = problem('malformed_request', 'The path holds a `%` that begins no encoded text.');

const noSchemas = (): never => {
  throw new Error('no route has a schema of the framework');
};

/** What is sent is validated by our own schemas. The framework's two compilers would take time and stay in memory. */
const NO_SCHEMAS = { compilersFactory: { buildValidator: () => noSchemas, buildSerializer: () => noSchemas } };

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
