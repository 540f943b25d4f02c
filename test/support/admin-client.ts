/**
 * A client of the admin API that holds every answer against /openapi.json: the status, the media type and the body have to be
 * described there, or the test fails.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Test } from 'tap';
import type { AdminToken } from '../../src/admin/admin-tokens.ts';
import { sha256Hex } from '../../src/lib/digest.ts';

export const ADMIN_TOKEN = 'the-admin-token-of-this-test';

/** `admin.token`, as it is known while a process runs. */
export const EDITOR: AdminToken = { id: 'admin', role: 'editor', digest: sha256Hex(ADMIN_TOKEN) };

export interface AdminRequest {
  readonly body?: unknown;
  readonly ifMatch?: string;
  /** null: without a token. */
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- what an answer holds is what tests ask about
  readonly body: any;
}

export interface AdminClient {
  readonly call: (method: string, path: string, request?: AdminRequest) => Promise<AdminAnswer>;
  readonly document: OpenApiDocument;
}

interface Described {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export async function adminClient(t: Test, adminUrl: string): Promise<AdminClient> {
  const document = (await (await fetch(`${adminUrl}/openapi.json`)).json()) as OpenApiDocument;
  const ajv = validatorOf(document);
  /** What is asked again until something happens counts once: how often depends on the machine. */
  const held = new Set<string>();
  const call: AdminClient['call'] = async (method, path, { body, ifMatch, token = ADMIN_TOKEN, headers = {} } = {}) => {
    const answer = await fetch(adminUrl + path, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const parsed: unknown = text === '' ? undefined : JSON.parse(text);
    const template = Object.keys(document.paths).find((known) => pathPattern(known).test(path.split('?', 1)[0] ?? ''));
    const operation = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
    if (template !== undefined && operation !== undefined) {
      const hasBody = method !== 'HEAD' && answer.status !== 304;
      const described = operation.responses[answer.status];
      const type = !hasBody ? '' : ((answer.headers.get('content-type') ?? '').split(';', 1)[0] ?? '');
      const where = `${method} ${template} ${answer.status}`;
      const types = Object.keys(described?.content ?? {});
      const hold = (isRight: boolean, what: string): void => {
        if (!isRight || !held.has(what)) t.ok(isRight, what);
        held.add(what);
      };
      hold(described !== undefined, `${where} is described`);
      hold(types.join() === type, `${where} has the media type described: ${types.join()}, not ${type}`);
      if (type !== '') {
        const place = ['paths', template, method.toLowerCase(), 'responses', answer.status, 'content', type, 'schema'];
        const pointer = place.map((step) =>
          encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1')),
        );
        const validate = ajv.getSchema(`openapi#/${pointer.join('/')}`);
        hold(validate?.(parsed) === true, `${where} is as described: ${ajv.errorsText(validate?.errors)}`);
      }
    }
    return { status: answer.status, headers: answer.headers, body: parsed };
  };
  return { call, document };
}

const validators = new Map<string, Ajv2020>();

/** Compiled once for each document: they are equal in nearly all tests. */
function validatorOf(document: OpenApiDocument): Ajv2020 {
  const text = JSON.stringify(document);
  let ajv = validators.get(text);
  if (ajv === undefined) {
    ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    ajv.addSchema(document, 'openapi');
    validators.set(text, ajv);
  }
  return ajv;
}

const pathPattern = (template: string): RegExp => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
