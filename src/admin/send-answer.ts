/**
 * How answers of the admin API are written: a problem as RFC 9457 has it, and what was read with a tag, so that nobody is sent twice
 * what has not changed. Decides nothing.
 */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sha256Hex } from '../lib/digest.ts';
import { namesTag } from '../lib/entity-tag.ts';
import type { Answer } from './operation.ts';
import { ADMIN_PROBLEMS, isAdminProblem, problemDocument, PROBLEM_MEDIA_TYPE } from './problem.ts';

/** What was read gets a tag, so that who reads it again and again is only sent what has changed. */
export function sendRead(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  if (isAdminProblem(answer) || (answer.status !== 200 && answer.status !== 304)) return send(reply, answer);
  const { headers, tag, parts } = answer;
  const text = answer.status === 200 && parts === undefined ? JSON.stringify(answer.body) : '';
  const etag = headers?.['etag'] ?? tag ?? `"${sha256Hex(text).slice(0, 32)}"`;
  reply.header('etag', etag);
  if (answer.status === 304 || namesTag(request.headers['if-none-match'] ?? '', etag))
    return send(reply, { status: 304, ...(headers && { headers }) });
  reply.type('application/json; charset=utf-8');
  return parts === undefined
    ? send(reply, { ...answer, body: text })
    : send(reply, { ...answer, body: Readable.from(parts, { objectMode: false }) });
}

export function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.headers(answer.headers ?? {});
  // For proxies that listen: what they do not change keeps its tag.
  if (answer.headers?.['etag'] !== undefined) reply.header('cache-control', 'no-store, no-transform');
  if (!isAdminProblem(answer)) return reply.code(answer.status).send(answer.body);
  return reply.code(ADMIN_PROBLEMS[answer.code].status).type(PROBLEM_MEDIA_TYPE).send(problemDocument(answer));
}
