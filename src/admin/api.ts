/**
 * The guarded part of the admin port: the API, its description and the console. Every request passes the same checks in the same
 * order: Host and origin, then the token, then its role, then the operation. While there is no admin token, none of it is there.
 */
import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify';
import type { AdminTokens } from './admin-tokens.ts';
import { apiListOperation } from './api-list-operation.ts';
import { createAudit } from './audit.ts';
import { createAuthenticator, ENDED, peerAddress, type Authenticator } from './auth.ts';
import { findOvergrowth, findOversize } from './bounds.ts';
import { explainOperation, type ExplainPorts } from './explain-operation.ts';
import { createKeyChanges, type KeyChangePorts } from './key-changes.ts';
import type { History } from './history/history.ts';
import { historyOperation } from './history-operation.ts';
import { keyOperations } from './key-operations.ts';
import { observationOperations, type ObservationPorts } from './observation-operations.ts';
import { openApiDocument } from './openapi.ts';
import type { Call, Caller, Operation } from './operation.ts';
import { createOriginGuard, type OriginGuardOptions } from './origin-guard.ts';
import { fieldFindings, invalid, isAdminProblem, problem } from './problem.ts';
import { recordOperations, type RecordPorts } from './record-operations.ts';
import { createRepeats, type Repeats } from './repeats.ts';
import { rejectionOperations, type RejectionPorts } from './rejection-operations.ts';
import { createRejectionStreams, type RejectionStreams } from './rejection-streams.ts';
import { secretOperations } from './secret-operations.ts';
import { send, sendRead } from './send-answer.ts';
import { sessionOperations } from './session-operations.ts';
import { createSessions } from './sessions.ts';
import type { StaticFiles } from './static.ts';
import { statusOperations, type StatusPorts } from './status-operations.ts';
import type { ListedKeySource } from '../keys/listed-source.ts';
import { namesTag } from '../lib/entity-tag.ts';
import { late } from '../lib/late.ts';
import type { Log } from '../observability/log.ts';

export interface AdminApiPorts
  extends
    OriginGuardOptions,
    Omit<KeyChangePorts, 'audit' | 'history'>,
    ExplainPorts,
    Omit<RejectionPorts, 'streams'>,
    Omit<RecordPorts, 'changes'>,
    Omit<ObservationPorts, 'changes'>,
    Omit<StatusPorts, 'audit' | 'changes'> {
  readonly source: ListedKeySource;
  readonly tokens: AdminTokens;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly history: History;
  /** Asked for when the console is. */
  readonly files: () => StaticFiles;
}

/** Registers the guarded routes on a scope of the admin server. */
export function registerAdminApi(scope: FastifyInstance, ports: AdminApiPorts): void {
  const auth = createAuthenticator({ ...ports, sessions: createSessions(ports) });
  const streams = createRejectionStreams({ recent: ports.recent, isValid: auth.isValid });
  // After the sessions: the authenticator has followed first.
  ports.tokens.follow(streams.endInvalid);
  const operations = operationsOf(ports, auth, streams);
  const guard = createOriginGuard(ports);
  scope.addHook('onRequest', async (request, reply) => {
    if (!ports.tokens.any()) return send(reply, NOTHING_HERE);
    reply.headers(SECURITY_HEADERS);
    const refused = guard(request.raw);
    return refused === null ? undefined : send(reply, refused);
  });
  scope.addHook('preClose', async () => streams.close());
  acceptJsonAlone(scope);
  const repeats = createRepeats(ports);
  for (const operation of operations) registerOperation(scope, operation, { auth, repeats });
  refuseOtherMethods(scope, operations);
  const document = late(() => openApiDocument(operations, ports.version));
  scope.get('/openapi.json', async (_request, reply) => reply.header('cache-control', 'no-cache').send(document()));
  serveConsole(scope, ports.files);
}

function operationsOf(ports: AdminApiPorts, auth: Authenticator, streams: RejectionStreams): Operation[] {
  const audit = createAudit(ports.log);
  const changes = createKeyChanges({ ...ports, audit });
  return [
    ...keyOperations({ ...ports, changes }),
    ...secretOperations({ ...ports, changes }),
    ...recordOperations({ ...ports, changes }),
    apiListOperation(ports),
    historyOperation(ports.history),
    ...rejectionOperations({ ...ports, streams }),
    explainOperation(ports),
    ...observationOperations({ ...ports, changes }),
    ...statusOperations({ ...ports, audit, changes }),
    ...sessionOperations({ auth, audit, streams }),
  ];
}

/** No script, style or frame from elsewhere, no inline script, and nothing of a page's address to anybody. */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** A form of another page can send text, but not JSON without asking first. An empty body is none. */
function acceptJsonAlone(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  const parse = scope.getDefaultJsonParser('error', 'error');
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    const why = findOvergrowth(body as Buffer);
    if (why === null) void parse(request, body.toString(), done);
    else done(Object.assign(new Error(why), { statusCode: 400 }));
  });
}

/** Of whoever has shown no token: a session needs no more. */
const MAX_OPEN_BODY_BYTES = 16_384;

interface Doors {
  readonly auth: Authenticator;
  readonly repeats: Repeats;
}

function registerOperation(scope: FastifyInstance, operation: Operation, { auth, repeats }: Doors): void {
  const { method, path } = operation;
  const callers = new WeakMap<FastifyRequest, Caller>();
  scope.route({
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    ...(operation.access === 'open' && { bodyLimit: MAX_OPEN_BODY_BYTES }),
    exposeHeadRoute: hasHead(operation),
    // Before the body is read: nobody sends a megabyte without a token.
    onRequest: async (request, reply) => {
      if (operation.access === 'open') return undefined;
      const caller = auth.authenticate(request.raw);
      if (isAdminProblem(caller)) return send(reply, caller);
      if (caller.session !== null && !isDeliberate(request)) return send(reply, NOT_DELIBERATE);
      if (operation.access === 'editor' && caller.token.role !== 'editor') return send(reply, FOR_EDITORS);
      callers.set(request, caller);
      return undefined;
    },
    handler: async (request, reply) => {
      const oversize = findOversize(request.body);
      if (oversize !== null) return send(reply, invalid('invalid_request', fieldFindings([oversize])));
      if ('enter' in operation) return send(reply, operation.enter(request));
      const caller = callers.get(request) as Caller;
      // A body may take its time, and the token or the session may have ended meanwhile.
      if (!auth.isValid(caller)) return send(reply, ENDED);
      const call = callOf(request, caller);
      if ('handle' in operation) {
        const { handle, operationId, repeatable = false } = operation;
        const answer = await (repeatable ? repeats.once(call, operationId, () => handle(call)) : handle(call));
        return method === 'GET' ? sendRead(request, reply, answer) : send(reply, answer);
      }
      const refused = operation.stream(call, request, reply);
      return refused === null ? reply : send(reply, refused);
    },
  });
}

/** A stream has no answer that could be looked at from outside. */
const hasHead = (operation: Operation): boolean => operation.method === 'GET' && !('stream' in operation);

const NOTHING_HERE = problem('not_found', 'There is nothing here.');
const FOR_EDITORS = problem('forbidden', 'This changes something, which a viewer may not. Ask an editor.');
const NOT_DELIBERATE = problem(
  'foreign_origin',
  'A change with a session needs `Content-Type: application/json` or `X-Requested-With`, which other pages cannot send.',
);

/** What makes a browser ask before it lets another page send a request, which is never allowed here. */
const isDeliberate = ({ method, headers }: FastifyRequest): boolean =>
  method === 'GET' ||
  method === 'HEAD' ||
  headers['x-requested-with'] !== undefined ||
  /^application\/json\b/i.test(headers['content-type'] ?? '');

const callOf = (request: FastifyRequest, caller: Caller): Call => ({
  method: request.method,
  params: request.params as Record<string, string>,
  query: request.query,
  body: request.body,
  ifMatch: request.headers['if-match'],
  ifNoneMatch: request.headers['if-none-match'],
  idempotencyKey: headerOf(request, 'idempotency-key'),
  caller,
  address: peerAddress(request.raw),
});

const headerOf = ({ headers }: FastifyRequest, name: string): string | undefined => headers[name]?.toString();

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const satisfies readonly HTTPMethods[];

const methods = new Intl.ListFormat('en', { type: 'conjunction' });

/** RFC 9110 15.5.6. */
function refuseOtherMethods(scope: FastifyInstance, operations: readonly Operation[]): void {
  for (const path of new Set(operations.map((operation) => operation.path))) {
    const own = operations.filter((operation) => operation.path === path).flatMap(methodsOf);
    const refused = problem('method_not_allowed', `Here ${methods.format(own)} can be used.`);
    scope.route({
      method: METHODS.filter((method) => !own.includes(method)),
      url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: async (_request, reply) => send(reply, { ...refused, headers: { allow: own.join(', ') } }),
    });
  }
}

const methodsOf = (operation: Operation): string[] => (hasHead(operation) ? ['GET', 'HEAD'] : [operation.method]);

function serveConsole(scope: FastifyInstance, console: () => StaticFiles): void {
  const notBuilt = problem('not_found', 'The console was not built: run `npm run build`, then start Postern again.');
  scope.all('/*', async (request, reply) => {
    const path = request.url.split('?', 1)[0] as string;
    const files = console();
    const file = files.get(path);
    if (file === undefined || (request.method !== 'GET' && request.method !== 'HEAD'))
      return send(reply, path === '/' && files.size === 0 ? notBuilt : NOTHING_HERE);
    reply.headers({ 'cache-control': file.cacheControl, etag: file.etag });
    if (namesTag(request.headers['if-none-match'] ?? '', file.etag)) return reply.code(304).send();
    return reply.type(file.type).send(file.body);
  });
}
