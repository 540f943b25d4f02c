/**
 * `postern routes`: the routes of an OpenAPI document, ready to paste under an API. What no route can say is named on standard
 * error. Starts and contacts nothing.
 */
import { stringify } from 'yaml';
import { readOpenApi } from '../config/openapi.ts';
import { formatProblem } from '../config/problem.ts';
import { withoutReferences } from '../config/substitution.ts';
import type { CommandIo } from './io.ts';

/** Exit codes: 0 done, 1 when no route could be made of the document, or it cannot be used. */
export async function runRoutes({ file }: { readonly file: string }, io: CommandIo): Promise<number> {
  const { unusable, routes, problems } = readOpenApi(file);
  for (const problem of problems) io.stderr(formatProblem(problem));
  if (routes.length === 0) {
    io.stderr(
      `${file}: ${unusable === null ? 'no route could be made of this document' : `the file cannot be used: ${unusable}`}.`,
    );
    return 1;
  }
  // By path and method, so that a document in another order prints the same.
  const lines = routes
    .map(({ route, written }) => ({ place: `${route.path} ${METHODS.indexOf(route.method)}`, written }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ written }) => `  - ${inOneLine(written)}`);
  io.stdout(['routes:', ...lines].join('\n'));
  return 0;
}

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** In the document `${` is text; in a configuration it begins a reference. */
const inOneLine = (route: object): string =>
  stringify(withoutReferences(route), { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trimEnd();
