import { readFileSync } from 'node:fs';
import t from 'tap';
import { ADMIN_PROBLEMS } from '../../src/admin/problem.ts';
import { adminClient, ADMIN_TOKEN, type OpenApiDocument } from '../support/admin-client.ts';
import { matchesGolden } from '../support/golden.ts';
import { startPostern } from '../support/postern.ts';

t.test(
  'the description is whole: every reference leads somewhere, every parameter is named, every name is used once',
  async (t) => {
    const postern = await startPostern(t, {
      config: { admin: { token: ADMIN_TOKEN }, apis: { integration: { upstream: 'http://127.0.0.1:9' } } },
      keys: [],
    });
    const { document } = await adminClient(t, postern.adminUrl);
    t.equal(document.openapi, '3.1.0');
    const { headers } = await fetch(new URL('/openapi.json', postern.adminUrl));
    t.equal(headers.get('cache-control'), 'no-cache', 'it changes with the version alone');
    t.equal(headers.get('referrer-policy'), 'no-referrer');
    const text = JSON.stringify(document);
    for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      t.ok(name in document.components.schemas, name);
    const all = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        path,
        method,
        operation: operation as unknown as Operation,
      })),
    );
    const ids = all.map(({ operation }) => operation.operationId);
    t.equal(new Set(ids).size, ids.length);
    const operations = all.filter(({ method }) => method !== 'head');
    for (const { path, method, operation } of all) {
      const { 405: other, 429: slowed } = operation.responses as Record<string, { headers?: object } | undefined>;
      t.ok(other?.headers && 'Allow' in other.headers, `${method} ${path} says which methods there are`);
      t.equal(slowed?.headers !== undefined, slowed !== undefined, `${method} ${path} says when to try again`);
      if (method === 'head') t.notMatch(JSON.stringify(operation.responses), /"content"/, `${path} has no body`);
    }
    for (const { path } of operations.filter(({ method }) => method === 'get'))
      t.equal(document.paths[path]?.['head'] !== undefined, !path.endsWith('/stream'), `${path} has a head`);
    t.same(
      operations
        .filter(({ operation }) => operation.parameters.some(({ name }) => name === 'Idempotency-Key'))
        .map(({ path }) => path),
      ['/api/keys', '/api/keys/{id}/secrets'],
    );
    for (const { path, method, operation } of operations) {
      const inPath = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      t.same(
        inPath,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
        path,
      );
      t.equal(
        operation.requestBody !== undefined,
        method === 'put' || (method === 'post' && !path.endsWith('purge')),
        path,
      );
      if (method !== 'get') t.notOk(operation.security && path !== '/api/session', 'only sessions are open');
    }
    for (const { path, method, operation } of operations) {
      const isOpen = path === '/api/session' && method !== 'get';
      t.equal('401' in operation.responses, !isOpen || method === 'post', `${method} ${path} can refuse a token`);
      t.same(operation.security, isOpen ? [] : undefined, `${method} ${path}`);
      t.equal('413' in operation.responses, operation.requestBody !== undefined, `${method} ${path} has a bound`);
      for (const status of ['400', '403', '421', '500'])
        t.ok(status in operation.responses, `${method} ${path} ${status}`);
    }
    for (const { operation, path } of operations)
      if (operation.requestBody !== undefined) t.equal(operation.requestBody.required, true, path);
    const list = document.paths['/api/rejections']?.['get'] as unknown as Operation;
    t.same(
      list.parameters.map((parameter) => `${parameter.in} ${parameter.name}`),
      [
        ...['limit', 'key', 'reason', 'address', 'path', 'event', 'requestId', 'mode'].map((name) => `query ${name}`),
        'header If-None-Match',
      ],
    );
    const numbers = operations.flatMap(({ operation, path }) =>
      operation.parameters
        .filter(({ name }) => ['limit', 'minutes', 'days'].includes(name))
        .map(({ name, schema }) => [`${name} of ${path}`, (schema as { readonly type?: string }).type] as const),
    );
    t.ok(numbers.length > 5);
    for (const [parameter, type] of numbers) t.equal(type, 'integer', parameter);
    t.match(list.parameters[0]?.schema, { type: 'integer', minimum: 1, maximum: 999_999 });
    const schemas = document.components.schemas as unknown as Record<string, { properties: Record<string, unknown> }>;
    t.match(schemas['Question']?.properties, {
      method: { maxLength: 64 },
      path: { maxLength: 16_384 },
      events: { maxItems: 10_000, items: { maxLength: 16_384 } },
    });
    const { allowedEvents, description, mode } = schemas['NewKey']?.properties ?? {};
    t.match(description, { type: 'string', maxLength: 16_384 });
    t.ok(Array.isArray((allowedEvents as { readonly anyOf?: unknown }).anyOf));
    t.match(JSON.stringify(allowedEvents), /"maxItems":10000/, 'a list among alternatives is bounded too');
    t.notMatch(JSON.stringify(mode), /maxLength/, 'a choice has its own bounds');
    const page = readFileSync('docs/admin-api.md', 'utf8');
    for (const { path, method } of operations)
      t.ok(page.includes(`\`${method.toUpperCase()} ${path}\``), `${method} ${path} is in docs/admin-api.md`);
    for (const [code, { status }] of Object.entries(ADMIN_PROBLEMS))
      t.match(page, new RegExp(`\\| ${status} +\\| \`${code}\` `), `${code} is in docs/admin-api.md`);
    for (const [path, method] of CONTRACT) t.ok(document.paths[path]?.[method], `${method} ${path}`);
    t.equal(document.info.version, '0.0.0-test');
    matchesGolden(t, 'openapi.txt', `${linesOf(document).join('\n')}\n`);
  },
);

/** A line for each operation and each schema, so that a change of one shows as one. */
function linesOf({ paths, components, ...rest }: OpenApiDocument): string[] {
  const { schemas, ...others } = components;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
  );
  return [['document', { ...rest, ...others }] as const, ...operations, ...Object.entries(schemas)].map(
    ([name, described]) => `${name}: ${JSON.stringify(described)}`,
  );
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly in: string; readonly name: string; readonly schema: object }[];
  readonly requestBody?: { readonly required?: boolean };
  readonly security?: object;
  readonly responses: Readonly<Record<string, unknown>>;
}

const CONTRACT = [
  ['/api/keys', 'get'],
  ['/api/keys', 'post'],
  ['/api/keys/{id}', 'get'],
  ['/api/keys/{id}', 'put'],
  ['/api/keys/{id}', 'delete'],
  ['/api/keys/{id}/secrets', 'post'],
  ['/api/keys/{id}/secrets/{secretId}', 'delete'],
  ['/api/rejections', 'get'],
  ['/api/rejections/stream', 'get'],
  ['/api/summary', 'get'],
  ['/api/explain', 'post'],
  ['/api/cache/purge', 'post'],
  ['/api/config', 'get'],
] as const;
