/**
 * The protected APIs together: what each name adds to what is written, and where two of them would claim one request.
 */
import { z } from 'zod';
import { foldPath } from '../lib/path-reading.ts';
import { API_NAME, METRICS_API, pathsOf, USERFLUX_APIS, type ApiName } from './api-names.ts';
import { ApiSchema, CacheSchema, type WrittenApi } from './api-schema.ts';
import { placesWithout } from './credential-schema.ts';
import { defaultsOf } from './presets.ts';
import { TokenSchema } from './token-schema.ts';

const NAME_FORM = 'must be a name of 1 to 32 lower-case letters, digits and "-" that begins with a letter';

type WrittenApis = Readonly<Record<ApiName, WrittenApi>>;

/** What is wrong at a place under `apis`. */
interface Mistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export const ApisSchema = z
  .record(z.string().regex(API_NAME, { error: NAME_FORM }), ApiSchema, {
    error: 'must be a mapping from the names of APIs to what is said of each',
  })
  .superRefine((apis, context) => {
    if (Object.keys(apis).length === 0)
      context.addIssue({ code: 'custom', message: 'must name at least one API, such as `integration`' });
    for (const mistake of [...sharedPaths(apis), ...tokenPaths(apis), ...unusedPlaces(apis)])
      context.addIssue({ code: 'custom', path: [...mistake.path], message: mistake.message });
  })
  .transform((apis) => Object.fromEntries(Object.entries(apis).map(([name, api]) => [name, withDefaults(name, api)])))
  .describe(
    'What is protected: any number of APIs, each under a name of 1 to 32 lower-case letters, digits and `-`. What none of them serves answers 404.',
  );

/** An API with everything filled in. `paths` stays null where it was not written. */
export type ApiConfig = ReturnType<typeof withDefaults>;
export type TokenConfig = NonNullable<ApiConfig['token']>;
export type CacheConfig = z.output<typeof CacheSchema>;

/** Filled in after validation, so that what is written alone is judged. */
function withDefaults(name: ApiName, api: WrittenApi) {
  const ownRoutes = api.preset !== null || api.routes !== null || api.openapi !== null;
  const isMetrics = name === METRICS_API;
  const token = api.token ?? (isMetrics ? TokenSchema.parse({}) : null);
  const preset = !ownRoutes && USERFLUX_APIS.has(name) ? ('userflux' as const) : api.preset;
  const { credential, allowedHeaders, allowCredentials } = defaultsOf(preset);
  return {
    ...api,
    preset,
    credential: api.credential ?? credential,
    cors: {
      allowedHeaders: api.cors.allowedHeaders ?? allowedHeaders,
      maxAgeSeconds: api.cors.maxAgeSeconds,
      allowCredentials: api.cors.allowCredentials ?? allowCredentials,
    },
    token: token === null ? null : { ...token, path: token.path ?? METRICS_TOKEN_PATH },
    cache: api.cache ?? (isMetrics ? DEFAULT_CACHE : null),
  };
}

/** What holds for the cached answers of an API that says nothing of them. */
export const DEFAULT_CACHE: CacheConfig = CacheSchema.parse({});

const METRICS_TOKEN_PATH = '/metrics/auth/token';
const KEY_SET_PATH = '/.well-known/jwks.json';

/** Two APIs that say the same path for the same Host: nobody could tell which one a request is for. */
function sharedPaths(apis: WrittenApis): Mistake[] {
  const owners = new Map<string, ApiName>();
  return Object.entries(apis).flatMap(([name, api]) => {
    const mistakes: Mistake[] = [];
    const seen = new Set<string>();
    pathsOf(name, api.paths).forEach((prefix, index) => {
      const folded = foldPath(prefix);
      const path = api.paths === null ? [name] : [name, 'paths', index];
      if (seen.has(folded)) mistakes.push({ path, message: `says ${prefix} twice` });
      seen.add(folded);
      const places = hostsOf(api).map((host) => `${host} ${folded}`);
      const owner = places.map((place) => owners.get(place)).find((other) => other !== undefined && other !== name);
      if (owner !== undefined)
        mistakes.push({
          path,
          message: `claims ${prefix}, as \`apis.${owner}\` does for the same Host; give one of them other \`paths\` or \`hosts\``,
        });
      for (const place of places) owners.set(place, name);
    });
    return mistakes;
  });
}

/** '' stands for every Host. */
const hostsOf = ({ hosts }: WrittenApi): readonly string[] => (hosts.length === 0 ? [''] : hosts);

/** A token endpoint that a request cannot reach, or that hides something else. */
function tokenPaths(apis: WrittenApis): Mistake[] {
  return Object.entries(apis).flatMap(([name, api]) => {
    if (api.token === null && name !== METRICS_API) return [];
    const at = api.token?.path ?? (name === METRICS_API ? METRICS_TOKEN_PATH : null);
    const path = [name, 'token', ...(api.token === null ? [] : ['path'])];
    if (at === null)
      return [{ path, message: `is missing: it must be the path where tokens are issued, such as "/${name}/token"` }];
    if (foldPath(at) === KEY_SET_PATH)
      return [{ path, message: 'must not be the path of the key set, which every API shares' }];
    const own = longestPrefix(pathsOf(name, api.paths), at);
    if (own === -1) return [{ path, message: `must lie under the \`paths\` of its API; it is ${JSON.stringify(at)}` }];
    const taker = Object.entries(apis).find(
      ([other, { hosts, paths }]) =>
        other !== name &&
        longestPrefix(pathsOf(other, paths), at) > own &&
        (hosts.length === 0 || (api.hosts.length > 0 && api.hosts.every((host) => hosts.includes(host)))),
    );
    return taker === undefined
      ? []
      : [{ path, message: `belongs to \`apis.${taker[0]}\`, whose path is longer; it is ${JSON.stringify(at)}` }];
  });
}

/** Texts for the backend in places where no key is looked for. */
function unusedPlaces(apis: WrittenApis): Mistake[] {
  return Object.entries(apis).flatMap(([name, { authorization, credential, preset }]) =>
    placesWithout(authorization, credential ?? defaultsOf(preset).credential).map((place) => ({
      path: [name, 'authorization', place],
      message: 'is not among the places of `credential`',
    })),
  );
}

/** The length of the longest prefix that the path is under, in whole segments; -1: none. */
function longestPrefix(prefixes: readonly string[], path: string): number {
  const folded = `${foldPath(path)}/`;
  return Math.max(
    -1,
    ...prefixes
      .map(foldPath)
      .filter((prefix) => folded.startsWith(`${prefix}/`))
      .map(({ length }) => length),
  );
}
