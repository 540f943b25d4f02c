/**
 * The configured APIs with their routes over the admin API, from which the routes of a key are chosen. Shows no address of a backend.
 */
import { pathsOf } from '../config/api-names.ts';
import type { Config } from '../config/schema.ts';
import type { ApiRules, Ruleset } from '../policy/ruleset.ts';
import type { Operation } from './operation.ts';

export interface ApiListPorts {
  readonly config: () => Config;
  readonly rules: () => Pick<Ruleset, 'apis'>;
}

export const apiListOperation = ({ config, rules }: ApiListPorts): Operation => ({
  method: 'GET',
  path: '/api/apis',
  operationId: 'listApis',
  access: 'viewer',
  summary: 'Every API, with the routes that it lists.',
  success: { status: 200, schema: 'ApiList' },
  problems: [],
  handle: () => ({
    status: 200,
    body: { apis: rules().apis.map((api) => showApi(api, pathsOf(api.name, config().apis[api.name]?.paths ?? null))) },
  }),
});

const showApi = ({ name, unlisted, tokenPath, router }: ApiRules, paths: readonly string[]) => ({
  name,
  paths,
  unlisted,
  tokens: tokenPath !== null,
  routes: router.routes.map((route) => ({
    method: route.method,
    path: route.pattern,
    events: route.events !== null,
    public: route.isPublic,
    pages: route.pages,
  })),
});
