/**
 * What the admin port refuses, and how it says so: one table of codes, each with its status and title, as problem documents
 * (RFC 9457). Refusals of the data port have a table of their own.
 */
import { fieldName } from '../config/problem.ts';
import type { Finding } from '../config/issue.ts';

const entry = (status: number, title: string): { readonly status: number; readonly title: string } => ({
  status,
  title,
});

export const ADMIN_PROBLEMS = {
  malformed_request: entry(400, 'Malformed Request'),
  missing_token: entry(401, 'Missing Token'),
  invalid_token: entry(401, 'Invalid Token'),
  foreign_origin: entry(403, 'Foreign Origin'),
  forbidden: entry(403, 'Forbidden'),
  not_found: entry(404, 'Not Found'),
  method_not_allowed: entry(405, 'Method Not Allowed'),
  id_taken: entry(409, 'Id Taken'),
  in_use: entry(409, 'In Use'),
  last_secret: entry(409, 'Last Secret'),
  read_only: entry(409, 'Read Only'),
  not_editable: entry(409, 'Not Editable'),
  not_observing: entry(409, 'Not Observing'),
  malformed_definition: entry(409, 'Malformed Definition'),
  precondition_failed: entry(412, 'Precondition Failed'),
  body_too_large: entry(413, 'Body Too Large'),
  unsupported_media_type: entry(415, 'Unsupported Media Type'),
  misdirected_request: entry(421, 'Misdirected Request'),
  invalid_request: entry(422, 'Invalid Request'),
  invalid_definition: entry(422, 'Invalid Definition'),
  idempotency_key_reused: entry(422, 'Idempotency Key Reused'),
  precondition_required: entry(428, 'Precondition Required'),
  too_many_failures: entry(429, 'Too Many Failures'),
  internal_error: entry(500, 'Internal Error'),
  source_unavailable: entry(503, 'Source Unavailable'),
  too_many_followers: entry(503, 'Too Many Followers'),
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type AdminProblemCode = keyof typeof ADMIN_PROBLEMS;

/** One mistake in what was sent: the field as a dotted path, and a whole sentence. */
export interface FieldFinding {
  readonly field: string;
  readonly message: string;
}

export interface AdminProblem {
  readonly code: AdminProblemCode;
  readonly detail: string;
  readonly findings?: readonly FieldFinding[];
  readonly headers?: Readonly<Record<string, string>>;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The document that is sent. */
export function problemDocument({ code, detail, findings }: AdminProblem): Record<string, unknown> {
  const { status, title } = ADMIN_PROBLEMS[code];
  return { type: 'about:blank', title, status, code, detail, ...(findings && { findings }) };
}

export const isAdminProblem = (answer: object): answer is AdminProblem => 'code' in answer && 'detail' in answer;

/** The most findings in one answer: thousands would tell no more. */
const MOST_FINDINGS = 100;

/** Findings as the caller reads them: the sentences of `postern check`, with fields as they stand in what was sent. */
export function fieldFindings(findings: readonly Finding[]): FieldFinding[] {
  const told = findings.slice(0, MOST_FINDINGS).map(({ path, message }) => {
    const field = fieldName(path);
    return { field, message: `${field || 'It'} ${inJson(message)}${message.endsWith('?') ? '' : '.'}` };
  });
  const more = findings.length - told.length;
  return more > 0 ? [...told, { field: '', message: `It has ${more} more mistakes.` }] : told;
}

/** What the schemas say of YAML, of what was sent as JSON. */
const inJson = (message: string): string =>
  message
    .replace('must be text; put it in quotes', 'must be text')
    .replace('must be an address or a range in quotes', 'must be text with an address or a range')
    .replace('must be a mapping with fields', 'must be an object with fields');

export const problem = (code: AdminProblemCode, detail: string): AdminProblem => ({ code, detail });

export const invalid = (
  code: 'invalid_request' | 'invalid_definition',
  findings: readonly FieldFinding[],
): AdminProblem => ({
  code,
  detail: findings[0]?.message ?? '',
  findings,
});
