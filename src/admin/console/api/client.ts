/**
 * Asks the admin API. Every answer is a value: what was asked for, or why not. Tells the connection and the session what
 * each answer says about them. Keeps no credential: the session is a cookie that scripts cannot read.
 */
import { answered, unanswered } from '../state/connection.ts';
import { sessionEnded } from '../state/session.ts';
import type { Finding } from './types.ts';

export interface Failure {
  /** 0 when no answer came. */
  readonly status: number;
  /** The `code` of the problem document, or `unreachable`. */
  readonly code: string;
  readonly detail: string;
  readonly findings: readonly Finding[];
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T; readonly etag: string | null }
  | { readonly ok: false; readonly failure: Failure };

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly ifMatch?: string;
  /** Creates: refused where there is one already. */
  readonly creates?: boolean;
  /** What was read before: it comes back as it is where nothing has changed. */
  readonly before?: Before | undefined;
  /** Names what is made, so that it is made once however often it is asked for. */
  readonly idempotencyKey?: string;
}

interface Before {
  readonly etag: string;
  readonly value: unknown;
}

const TIMEOUT_MS = 15_000;

/** `path` is relative to the console's own, so that it also works behind a proxy that adds a prefix. */
export async function ask<T>(
  path: string,
  { method = 'GET', body, ifMatch, creates = false, before, idempotencyKey }: Ask = {},
): Promise<Answer<T>> {
  let response: Response;
  try {
    response = await fetch(`./api/${path}`, {
      method,
      headers: {
        // No page of another origin can send this without being asked first.
        ...(method !== 'GET' && { 'x-requested-with': 'postern-console' }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        ...(creates && { 'if-none-match': '*' }),
        ...(before !== undefined && { 'if-none-match': before.etag }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    unanswered();
    return unreachable(method);
  }
  answered();
  if (before !== undefined && response.status === 304) return { ok: true, value: before.value as T, etag: before.etag };
  const text = await response.text().catch(() => null);
  // The answer broke off: what it said is not known.
  if (text === null) return unreachable(method);
  if (response.ok) {
    const value = (text === '' ? undefined : JSON.parse(text)) as T;
    return { ok: true, value, etag: response.headers.get('etag') };
  }
  // A wrong token ends no session.
  if (response.status === 401 && (path !== 'session' || method === 'GET')) sessionEnded();
  return { ok: false, failure: failureOf(response.status, text) };
}

const answers = new Map<string, Before>();

/** For what is read again and again: what has not changed since is neither sent nor made anew. */
export async function askAgain<T>(path: string): Promise<Answer<T>> {
  const answer = await ask<T>(path, { before: answers.get(path) });
  if (answer.ok && answer.etag !== null) answers.set(path, { etag: answer.etag, value: answer.value });
  return answer;
}

/** A request that got no answer may have been carried out all the same. */
const unreachable = (method: string): Answer<never> => ({
  ok: false,
  failure: {
    status: 0,
    code: 'unreachable',
    detail: `Postern did not answer.${method === 'GET' ? '' : ' Whether anything was changed is not known.'}`,
    findings: [],
  },
});

function failureOf(status: number, text: string): Failure {
  const { code, detail, title, findings } = parseProblem(text);
  return {
    status,
    code: code ?? 'unknown',
    detail: detail || title || `The answer was HTTP ${status}.`,
    findings: findings ?? [],
  };
}

interface ProblemDocument {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly findings?: readonly Finding[];
}

function parseProblem(text: string): ProblemDocument {
  try {
    return (JSON.parse(text) ?? {}) as ProblemDocument;
  } catch {
    return {};
  }
}
