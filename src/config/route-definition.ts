/**
 * The form of a route as an operator writes it, and what can be wrong with a list of routes. It judges what is written, and
 * matches no request.
 */
import { endsOpen, parameterNames, patternProblem, shapeOf } from '../lib/path-pattern.ts';
import { eventProblem, type EventDefinition } from './event-definition.ts';

/** A route as an operator writes it. */
export interface RouteDefinition extends EventDefinition {
  readonly method: string;
  /** Segments are literal or `:name`, which stands for one whole segment; a last one `**` stands for one or more. */
  readonly path: string;
  /** The backend takes forms, and reads no method from them. */
  readonly forms?: boolean | undefined;
  /** The path sent upstream; may use the parameters of `path`. */
  readonly rewrite?: string | undefined;
  /** Needs no credential. */
  readonly public?: boolean | undefined;
  /** May be read with a write-only key. */
  readonly pages?: boolean | undefined;
  /** How long answers are kept; null: not at all. */
  readonly cacheMinutes?: number | null | undefined;
  /** These four hold in place of the API's; null: the API's. */
  readonly maxBodyBytes?: number | null | undefined;
  readonly timeoutSeconds?: number | null | undefined;
  readonly idleTimeoutSeconds?: number | null | undefined;
  readonly upstream?: string | null | undefined;
}

/** What is wrong with routes as written, for the operator; `index` is the route's place in the list. */
export function findRouteProblems(definitions: readonly RouteDefinition[]): readonly { index: number; why: string }[] {
  const shapes = new Map<string, RouteDefinition>();
  return definitions.flatMap((definition, index) => {
    const own = routeProblem(definition);
    if (own !== null) return [{ index, why: own }];
    const shape = `${definition.method} ${shapeOf(definition.path)}`;
    const earlier = shapes.get(shape);
    shapes.set(shape, definition);
    if (earlier === undefined) return [];
    return [{ index, why: `${definition.method} ${definition.path} matches the same paths as ${earlier.path}` }];
  });
}

function routeProblem(definition: RouteDefinition): string | null {
  const { method, path, events, rewrite } = definition;
  if (!/^[A-Z][A-Z-]*$/.test(method)) return `method ${JSON.stringify(method)} is not in upper-case letters`;
  const why = patternProblem(path);
  if (why !== null) return `path ${JSON.stringify(path)} ${why}`;
  const names = parameterNames(path);
  if (new Set(names).size < names.length) return `path ${JSON.stringify(path)} names a parameter twice`;
  const eventWhy = eventProblem(definition);
  if (eventWhy !== null) return eventWhy;
  if (events !== undefined && (method === 'GET' || method === 'HEAD')) return `a ${method} request carries no events`;
  if (rewrite === undefined) return null;
  const rewriteWhy = patternProblem(rewrite);
  if (rewriteWhy !== null) return `rewrite ${JSON.stringify(rewrite)} ${rewriteWhy}`;
  const unknown = parameterNames(rewrite).find((name) => !names.includes(name));
  if (unknown !== undefined) return `rewrite ${JSON.stringify(rewrite)} uses :${unknown}, which path does not name`;
  const lost = endsOpen(rewrite) && !endsOpen(path);
  return lost ? `rewrite ${JSON.stringify(rewrite)} ends in **, which path does not` : null;
}
