/**
 * The OpenAPI 3.1 description of the admin API, made from the operations and the schemas that serve and validate it.
 */
import { z } from 'zod';
import { MAX_ENTRIES, MAX_TEXT } from './bounds.ts';
import { jsonSchemaOf } from '../config/json-schema.ts';
import type { Operation } from './operation.ts';
import { ADMIN_PROBLEMS, PROBLEM_MEDIA_TYPE, type AdminProblemCode } from './problem.ts';
import { ANSWER_SCHEMAS, REQUEST_SCHEMAS } from './schemas.ts';
import { OWN_COOKIE } from '../upstream/own-cookie.ts';

type Json = Readonly<Record<string, unknown>>;

const EVERY: readonly AdminProblemCode[] = [
  'malformed_request',
  'foreign_origin',
  'method_not_allowed',
  'misdirected_request',
  'internal_error',
];
const WITH_TOKEN: readonly AdminProblemCode[] = ['missing_token', 'invalid_token', 'too_many_failures'];
const WITH_BODY: readonly AdminProblemCode[] = ['body_too_large', 'unsupported_media_type', 'invalid_request'];

/** The document; `version` is that of Postern. */
export function openApiDocument(operations: readonly Operation[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) Object.assign((paths[operation.path] ??= {}), describeMethods(operation));
  return {
    openapi: '3.1.0',
    info: { title: 'Postern admin API', version, description: 'Keys, refusals and the state of one Postern process.' },
    paths,
    security: [{ token: [] }, { session: [] }],
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: '`admin.token`, or one of `admin.tokens`.' },
        session: { type: 'apiKey', in: 'cookie', name: OWN_COOKIE, description: 'From `POST /api/session`.' },
      },
      schemas: {
        ...mapValues(REQUEST_SCHEMAS, (schema) => component(withBounds(jsonSchemaOf(schema)) as object)),
        ...mapValues(ANSWER_SCHEMAS, (schema) => component(z.toJSONSchema(schema, { io: 'output' }))),
      },
    },
  };
}

/** What can be read can also be asked for without its body. */
function describeMethods(operation: Operation): Record<string, Json> {
  const { method, operationId, summary } = operation;
  const described = describeOperation(operation);
  if (method !== 'GET' || 'stream' in operation) return { [method.toLowerCase()]: described };
  const responses = Object.entries(described['responses'] as Record<string, Json>).map(
    ([status, { content: _content, ...response }]) => [status, response] as const,
  );
  const head = { ...described, operationId: `${operationId}Head`, summary: `${summary} The head of the answer alone.` };
  return { get: described, head: { ...head, responses: Object.fromEntries(responses) } };
}

function describeOperation(operation: Operation): Json {
  const { operationId, summary, body, success, problems, access, creates = false } = operation;
  const { repeatable = false, method } = operation;
  const possible = [
    ...EVERY,
    ...(access === 'open' ? [] : WITH_TOKEN),
    ...(access === 'editor' ? (['forbidden'] as const) : []),
    ...(body ? WITH_BODY : []),
    ...(repeatable ? (['idempotency_key_reused'] as const) : []),
    ...problems,
  ];
  return {
    operationId,
    summary,
    ...(access === 'open' && { security: [] }),
    ...(access !== 'open' && { 'x-role': access }),
    parameters: [...pathParameters(operation), ...queryParameters(operation), ...headerParameters(operation)],
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: reference(body) } } } }),
    responses: {
      [success.status]: describeSuccess(operation),
      ...(method === 'GET' && success.schema !== 'text/event-stream' && { 304: NOT_MODIFIED }),
      ...(creates && { 201: { ...describeSuccess(operation), description: SUCCESS[201] } }),
      ...Object.fromEntries(byStatus(possible).map(([status, codes]) => [status, describeProblem(codes)])),
    },
  };
}

const pathParameters = ({ path }: Operation): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

function queryParameters({ query }: Operation): Json[] {
  if (query === undefined) return [];
  return Object.entries(jsonSchemaOf(query).properties ?? {}).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: false,
    description,
    schema,
  }));
}

function headerParameters(operation: Operation): Json[] {
  const { method, repeatable = false } = operation;
  return [
    ...conditionParameters(operation),
    ...(repeatable ? [IDEMPOTENCY_KEY] : []),
    ...(method === 'GET' && !('stream' in operation) ? [IF_CHANGED] : []),
  ];
}

const IDEMPOTENCY_KEY: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'A new random text for each request. Sent again within 10 minutes by the same caller to the same process, the request makes nothing anew and has the first answer.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
};

const IF_CHANGED: Json = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'The `ETag` of an answer that the caller has: 304 if it is still the same.',
  schema: { type: 'string' },
};

const NOT_MODIFIED: Json = { description: 'As the caller has it.', headers: { ETag: { schema: { type: 'string' } } } };

function conditionParameters({ ifMatch, creates = false }: Operation): Json[] {
  if (ifMatch === undefined) return [];
  const description = 'The `ETag` that the change is based on; `*`: whatever is there.';
  return [
    { name: 'If-Match', in: 'header', required: ifMatch === 'required', description, schema: { type: 'string' } },
    ...(creates ? [IF_NONE_MATCH] : []),
  ];
}

const IF_NONE_MATCH: Json = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: '`*` in place of `If-Match`: create it, if there is none of this name.',
  schema: { const: '*' },
};

function describeSuccess({ success, headers = [] }: Operation): Json {
  const { schema } = success;
  const described = { description: SUCCESS[success.status] ?? 'Done.' };
  const sent = Object.fromEntries(headers.map((name) => [name, { schema: { type: 'string' } }]));
  return {
    ...described,
    ...(headers.length > 0 && { headers: sent }),
    ...(schema === 'text/event-stream'
      ? { content: { [schema]: { schema: { type: 'string' } } } }
      : schema !== null && { content: { 'application/json': { schema: reference(schema) } } }),
  };
}

const SUCCESS: Readonly<Record<number, string>> = { 200: 'As asked.', 201: 'Created.', 204: 'Done.' };

function byStatus(codes: readonly AdminProblemCode[]): [number, AdminProblemCode[]][] {
  const found = new Map<number, AdminProblemCode[]>();
  for (const code of new Set(codes)) {
    const { status } = ADMIN_PROBLEMS[code];
    found.set(status, [...(found.get(status) ?? []), code]);
  }
  return [...found].sort(([a], [b]) => a - b);
}

/** What a refusal says in its head. */
const PROBLEM_HEADERS: Readonly<Record<number, readonly [name: string, schema: Json]>> = {
  401: ['WWW-Authenticate', { type: 'string' }],
  405: ['Allow', { type: 'string' }],
  429: ['Retry-After', { type: 'integer', minimum: 1 }],
};

function problemHeaders(codes: readonly AdminProblemCode[]): Json | undefined {
  const [name, schema] = PROBLEM_HEADERS[ADMIN_PROBLEMS[codes[0] as AdminProblemCode].status] ?? [];
  return name === undefined ? undefined : { [name]: { schema } };
}

const describeProblem = (codes: readonly AdminProblemCode[]): Json => ({
  description: codes.map((code) => `\`${code}\``).join(' or '),
  ...(problemHeaders(codes) && { headers: problemHeaders(codes) }),
  content: {
    [PROBLEM_MEDIA_TYPE]: {
      schema: { allOf: [reference('Problem'), { properties: { code: { enum: codes } } }] },
    },
  },
});

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** The dialect is said once, by OpenAPI. */
function component(schema: object): Json {
  const { $schema: _dialect, ...rest } = schema as Record<string, unknown>;
  return rest;
}

/** The bounds that hold for everything that is sent, where a schema says nothing narrower. */
function withBounds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withBounds);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { type, enum: values, const: value, default: standard, ...rest } = schema as Record<string, unknown>;
  const bound = type === 'array' ? { maxItems: MAX_ENTRIES } : type === 'string' ? { maxLength: MAX_TEXT } : {};
  return {
    ...(values === undefined && value === undefined && bound),
    ...(values !== undefined && { enum: values }),
    ...(value !== undefined && { const: value }),
    ...(type !== undefined && { type }),
    ...(standard !== undefined && { default: standard }),
    ...mapValues(rest, withBounds),
  };
}

const mapValues = <T extends object, U>(record: T, map: (value: T[keyof T]) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value as T[keyof T])]));
