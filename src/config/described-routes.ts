/**
 * Puts the routes of OpenAPI documents into the APIs that name one. What is wrong with a document keeps the configuration from being
 * used; what a route cannot say is a warning.
 */
import type { ApiConfig } from './apis-schema.ts';
import type { Finding } from './issue.ts';
import { readOpenApi } from './openapi.ts';
import type { Problem } from './problem.ts';
import type { Config } from './schema.ts';

export interface DescribedApis {
  readonly apis: Config['apis'];
  /** At places of the configuration. */
  readonly findings: readonly Finding[];
  /** At places of the documents. */
  readonly problems: readonly Problem[];
  /** The documents, and what they refer to. */
  readonly files: readonly string[];
}

/** Reads each document once, however many APIs name it. */
export function describeApis(apis: Config['apis']): DescribedApis {
  const read = new Map<string, ReturnType<typeof readOpenApi>>();
  const findings: Finding[] = [];
  const described = Object.entries(apis).map(([name, api]): [string, ApiConfig] => {
    const { openapi } = api;
    if (openapi === null) return [name, api];
    const description = read.get(openapi) ?? readOpenApi(openapi);
    read.set(openapi, description);
    if (description.unusable !== null)
      findings.push({
        path: ['apis', name, 'openapi'],
        message: `names a file that cannot be used, because ${description.unusable}: ${JSON.stringify(openapi)}`,
      });
    return [name, { ...api, routes: description.routes.map(({ route }) => route) }];
  });
  const descriptions = [...read.values()];
  return {
    apis: Object.fromEntries(described),
    findings,
    problems: descriptions.flatMap(({ problems }) => problems),
    files: descriptions.flatMap(({ files }) => files),
  };
}
