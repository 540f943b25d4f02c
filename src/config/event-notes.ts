/**
 * What `postern check` says of routes with events that nobody but the operator can judge: whether their backend reads more than what
 * is listed. A note is no mistake, also when the check is strict.
 */
import type { YamlFile } from './document.ts';
import { problemsOf } from './issue.ts';
import type { Problem } from './problem.ts';
import type { Config } from './schema.ts';

const NO_QUERY =
  'carries events and lists no `query`: keys limited to specific events may send no parameter with them, since its backend could read events there; list those that hold none, or write `query: []`';

/** Notes on the routes that a file writes out itself. */
export function eventNotes({ apis }: Config, file: YamlFile): Problem[] {
  const findings = Object.entries(apis).flatMap(([name, { routes }]) =>
    (routes ?? []).flatMap((route, index) => {
      const path = ['apis', name, 'routes', index];
      const written = fieldsAt(file.content?.value, path);
      return route.events === undefined || written === null || 'query' in written ? [] : [{ path, message: NO_QUERY }];
    }),
  );
  return problemsOf(findings, file, [], 'note');
}

/** The mapping that stands at a path of the file; null: there is none, as for the routes of an OpenAPI document. */
function fieldsAt(value: unknown, path: readonly (string | number)[]): object | null {
  let here = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return null;
    here = (here as Readonly<Record<string | number, unknown>>)[step];
  }
  return typeof here === 'object' ? here : null;
}
