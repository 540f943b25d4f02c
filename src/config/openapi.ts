/**
 * The routes that an OpenAPI document (3.0, 3.1) describes: each operation with its method and path, and what Postern is told of it
 * under `x-postern`. What a route cannot say is named, and not listed. Judges no request.
 */
import { late } from '../lib/late.ts';
import { patternProblem, shapeOf } from '../lib/path-pattern.ts';
import { findingsOf } from './issue.ts';
import { jsonSchemaLater } from './json-schema.ts';
import { isMapping, openDocuments, type OpenDocuments, type Place } from './openapi-documents.ts';
import { basePathOf } from './openapi-servers.ts';
import { fieldName, type Problem } from './problem.ts';
import { RoutesSchema, type ParsedRoute } from './route-schema.ts';

export interface DescribedRoute {
  /** As it would be written under `routes`. */
  readonly written: Readonly<Record<string, unknown>>;
  readonly route: ParsedRoute;
}

export interface Description {
  /** Why the file cannot be used at all; null: it can, or `problems` says what is wrong with it. */
  readonly unusable: string | null;
  readonly routes: readonly DescribedRoute[];
  /** Errors: the document cannot be used. Warnings: operations that are not listed. */
  readonly problems: readonly Problem[];
  /** The document, and every file that it refers to. */
  readonly files: readonly string[];
}

/** Reads the routes of a document, in its order. Throws nothing for a user's mistake. */
export function readOpenApi(file: string): Description {
  const documents = openDocuments(file);
  const reading = new Reading(documents);
  const routes = documents.root === null ? [] : routesOf(documents.root, reading);
  return {
    unusable: documents.unusable,
    routes,
    problems: [...documents.problems, ...reading.problems],
    files: documents.files(),
  };
}

const VERSION = /^3\.[01](?:\.|$)/;
/** The methods of an operation (OpenAPI 3.1, Path Item Object) that a route may have. */
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'];
const OTHER_METHODS = new Set(['options', 'trace']);
const OTHER_FIELDS = new Set(['$ref', 'summary', 'description', 'servers', 'parameters']);

const EXTENSION = 'x-postern';
const routesSchema = jsonSchemaLater(RoutesSchema);

/** What a route is when nothing is said of it: validated once, for most operations. */
const plain = late(() => RoutesSchema.parse([{ method: 'GET', path: '/' }])[0] as ParsedRoute);

/** Follows references, and collects what is wrong, each at its place. */
class Reading {
  readonly problems: Problem[] = [];
  readonly #documents: OpenDocuments;

  constructor(documents: OpenDocuments) {
    this.#documents = documents;
  }

  error(place: Place, message: string): void {
    this.#add('error', place, message);
  }

  warning(place: Place, message: string): void {
    this.#add('warning', place, message);
  }

  /** Of an operation, or of many. */
  notListed(place: Place, why: string): void {
    this.warning(place, `is not listed: ${why}`);
  }

  /**
   * Where the place leads, wherever that is; null when it leads nowhere, which is said: as an error where something is missing, since
   * that may be a document which is being written.
   */
  follow(place: Place): Place | null {
    const target = this.#documents.follow(place);
    if (!('why' in target)) return target;
    if (target.isBroken) this.error(place, `has a \`$ref\` that ${target.why}`);
    else this.notListed(place, `its \`$ref\` ${target.why}`);
    return null;
  }

  /** The mapping at a field; null when there is none, which is said. */
  mappingAt(holder: Place, name: string): Place | null {
    const value = isMapping(holder.value) ? holder.value[name] : undefined;
    const place = this.follow(inside(holder, name, value));
    if (place === null || isMapping(place.value)) return place;
    this.error(place, 'must be a mapping with fields');
    return null;
  }

  #add(severity: Problem['severity'], { document, path }: Place, message: string): void {
    const field = fieldName(path);
    const text = `${field || 'The file'} ${message}${message.endsWith('?') ? '' : '.'}`;
    this.problems.push({ file: document.file, ...document.locate(path, 'key'), severity, message: text, field });
  }
}

const inside = ({ document, path }: Place, step: PropertyKey, value: unknown): Place => ({
  document,
  path: [...path, step],
  value,
});

const membersOf = (holder: Place): (readonly [name: string, member: Place])[] =>
  isMapping(holder.value)
    ? Object.entries(holder.value).map(([name, value]) => [name, inside(holder, name, value)] as const)
    : [];

function routesOf(root: Place, reading: Reading): DescribedRoute[] {
  const version = isMapping(root.value) ? root.value['openapi'] : undefined;
  if (!VERSION.test(String(version))) {
    reading.error(root, 'is no OpenAPI document of version 3.0 or 3.1: its field `openapi` says which it is');
    return [];
  }
  const paths = reading.mappingAt(root, 'paths');
  if (paths === null) return [];
  const shapes = new Set<string>();
  const routes = membersOf(paths)
    .filter(([template]) => !template.startsWith('x-'))
    .flatMap(([template, written]) => operationsOf(written, reading).map((operation) => ({ template, ...operation })))
    .flatMap(({ template, method, operation, levels }) => {
      const base = basePathOf([...levels, root.value]);
      const path = typeof base === 'string' ? pathOf(base, template) : base;
      if (typeof path !== 'string') reading.notListed(operation, path.why);
      else if (isTaken(shapes, `${method} ${shapeOf(path)}`))
        reading.notListed(operation, `${method} ${path} matches the same paths as an operation before it`);
      else return describe(operation, { method, path }, reading);
      return [];
    });
  if (routes.length === 0 && reading.problems.length === 0) reading.warning(paths, 'holds no operation that is listed');
  return routes;
}

/** Whether there was one of this shape before; from now on there is. */
function isTaken(shapes: Set<string>, shape: string): boolean {
  const { size } = shapes;
  return shapes.add(shape).size === size;
}

interface Operation {
  readonly method: string;
  readonly operation: Place;
  /** Itself and its path item, which may name servers. */
  readonly levels: readonly unknown[];
}

function operationsOf(written: Place, reading: Reading): Operation[] {
  const item = reading.follow(written);
  if (item === null) return [];
  if (item !== written && membersOf(written).some(([name]) => METHODS.includes(name)))
    reading.notListed(written, 'an operation beside `$ref`, which readers of such documents take in different ways');
  return membersOf(item).flatMap(([name, place]) => {
    if (METHODS.includes(name)) {
      const operation = reading.follow(place);
      if (operation === null) return [];
      return [{ method: name.toUpperCase(), operation, levels: [operation.value, item.value] }];
    }
    if (OTHER_METHODS.has(name)) reading.notListed(place, `no key may use ${name.toUpperCase()}`);
    else if (!OTHER_FIELDS.has(name) && !name.startsWith('x-'))
      reading.notListed(place, `${JSON.stringify(name)} is no method of a route`);
    return [];
  });
}

/** A path as a route says it, or why no route can. */
function pathOf(base: string, template: string): string | { readonly why: string } {
  const names = new Set<string>();
  const segments = template.split('/').map((segment) => {
    const name = /^\{([^{}]+)\}$/.exec(segment)?.[1];
    if (name !== undefined) return `:${distinct(name, names)}`;
    return /[{}]|^[:*]/.test(segment) ? null : segment;
  });
  const odd = template.split('/')[segments.indexOf(null)];
  if (odd !== undefined)
    return { why: `a route has whole segments of text or of one {name}, not ${JSON.stringify(odd)}` };
  if (/\/[:*]/.test(base)) return { why: `its server's path ${JSON.stringify(base)} cannot stand in a route` };
  const path = `${base}${segments.join('/')}`;
  const why = template.startsWith('/') ? patternProblem(path) : 'does not start with a slash';
  return why === null ? path : { why: `the path ${JSON.stringify(path)} ${why}` };
}

/** A name that a parameter may have, and no other of the path has: what a document calls `user-id` is `user_id`. */
function distinct(name: string, names: Set<string>): string {
  const plain = name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_');
  let found = plain;
  for (let i = 2; names.has(found); i++) found = `${plain}_${i}`;
  names.add(found);
  return found;
}

function describe(operation: Place, called: { method: string; path: string }, reading: Reading): DescribedRoute[] {
  if (!isMapping(operation.value)) {
    reading.notListed(operation, 'it is no mapping with fields');
    return [];
  }
  if (!Object.hasOwn(operation.value, EXTENSION))
    return [{ written: { ...called }, route: { ...plain(), ...(called as Pick<ParsedRoute, 'method' | 'path'>) } }];
  const extension = reading.mappingAt(operation, EXTENSION);
  if (extension === null) return [];
  const twice = membersOf(extension).filter(([name]) => Object.hasOwn(called, name));
  for (const [, place] of twice) reading.error(place, 'is said by the document itself; remove it');
  if (twice.length > 0) return [];
  const written = { ...called, ...(extension.value as Readonly<Record<string, unknown>>) };
  const parsed = RoutesSchema.safeParse([written]);
  if (parsed.success) return [{ written, route: parsed.data[0] as ParsedRoute }];
  for (const { path, message } of findingsOf(parsed.error.issues, [written], routesSchema()))
    reading.error({ ...extension, path: [...extension.path, ...path.slice(1)] }, message);
  return [];
}
