/**
 * One operation of the admin API: what it is called, takes and answers, and the function that does it. The routes and
 * /openapi.json are both made from these records, so that neither can say what the other does not.
 */
import type { z } from 'zod';
import type { AdminRole } from '../config/admin-token-schema.ts';
import { findingsOf } from '../config/issue.ts';
import { jsonSchemaOf } from '../config/json-schema.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { namesTag } from '../lib/entity-tag.ts';
import type { AdminToken } from './admin-tokens.ts';
import { fieldFindings, invalid, type AdminProblem, type AdminProblemCode } from './problem.ts';
import type { AnswerSchemaName, RequestSchemaName } from './schemas.ts';
import type { Session } from './sessions.ts';

/** Who asks: the holder of a token, or of a session that was opened with it. */
export interface Caller {
  readonly token: AdminToken;
  /** Names the session in the log, and opens nothing; null: the token itself was sent. */
  readonly session: Session | null;
}

/** Who may ask: `open`: everybody, since it is how a token is shown; `viewer`: whoever may read; `editor`: it changes something. */
export type Access = 'open' | AdminRole;

export interface Call {
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: unknown;
  readonly body: unknown;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly caller: Caller;
  readonly address: string;
}

export interface Success {
  readonly status: number;
  readonly body?: unknown;
  /** In place of `body`, for an answer with a `tag`: its text in parts, which are made while others are answered. */
  readonly parts?: AsyncIterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
  /** An entity tag for what no change is based on, where one is cheaper to have than that of the whole body. */
  readonly tag?: string;
}

export type Answer = Success | AdminProblem;

interface Described {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As OpenAPI writes it: `/api/keys/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly access: Access;
  readonly query?: z.ZodObject;
  readonly body?: RequestSchemaName;
  /** Whether `If-Match` has to be sent, or is obeyed when it is. */
  readonly ifMatch?: 'required' | 'optional';
  /** With `If-None-Match: *` in place of `If-Match` it creates, and answers 201. */
  readonly creates?: boolean;
  /** What it made is answered again when it is sent again under the same `Idempotency-Key`. */
  readonly repeatable?: boolean;
  readonly success: { readonly status: number; readonly schema: AnswerSchemaName | 'text/event-stream' | null };
  readonly headers?: readonly ('ETag' | 'Location' | 'Set-Cookie')[];
  /** Besides those that every operation may answer with. */
  readonly problems: readonly AdminProblemCode[];
}

export type Operation = Described &
  (
    | { readonly handle: (call: Call) => Answer | Promise<Answer> }
    /** Takes over the response, unless it returns a problem. */
    | { readonly stream: (call: Call, request: FastifyRequest, reply: FastifyReply) => AdminProblem | null }
    /** Decides about the caller itself. */
    | { readonly enter: (request: FastifyRequest) => Answer }
  );

/** The answer to whoever has this already, by the tag that he sends; null: he has something else. */
export const unchanged = ({ ifNoneMatch = '' }: Call, tag: string): Answer | null =>
  namesTag(ifNoneMatch, tag) ? { status: 304, tag } : null;

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: AdminProblem };

/** Validates what was sent; every mistake is a finding. */
export function readInput<T>(schema: z.ZodType<T>, input: unknown): Read<T> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { ok: true, value: parsed.data };
  const findings = findingsOf(parsed.error.issues, input, jsonSchemaOf(schema));
  return { ok: false, problem: invalid('invalid_request', fieldFindings(findings)) };
}
