/**
 * What valid `apis` say that an operator should think about again: places of credentials that a preset's clients do not use, or that
 * they use and nobody looks into, and routes that no request reaches. Warnings stop nothing.
 */
import { foldPath } from '../lib/path-reading.ts';
import { METRICS_API, pathsOf, type ApiName } from './api-names.ts';
import type { ApiConfig } from './apis-schema.ts';
import type { Finding } from './issue.ts';
import { presetOf } from './presets.ts';

type Apis = Readonly<Record<ApiName, ApiConfig>>;

export const apiWarnings = (apis: Apis): Finding[] =>
  Object.entries(apis).flatMap(([name, api]) => [
    ...placesOfPreset(api).map(({ path, message }) => ({ path: ['apis', name, ...path], message })),
    ...unreachedRoutes(name, apis),
    ...halfOfAll(api).map(({ path, message }) => ({ path: ['apis', name, ...path], message })),
  ]);

/** Every address of one family, where every address at all is nearly always meant. */
function halfOfAll({ allowFrom }: ApiConfig): Finding[] {
  if (allowFrom === 'anywhere') return [];
  const ranges = allowFrom.flatMap((entry) =>
    typeof entry === 'string' ? [entry] : 'address' in entry ? [entry.address] : [],
  );
  const all = (family: 'v4' | 'v6'): boolean =>
    ranges.some((range) => range.endsWith('/0') && range.includes(':') === (family === 'v6'));
  if (all('v4') === all('v6')) return [];
  const [one, other] = all('v4') ? ['0.0.0.0/0', '::/0'] : ['::/0', '0.0.0.0/0'];
  return [{ path: ['allowFrom'], message: `holds ${one} without ${other}: only one of the two families is let in` }];
}

function placesOfPreset({ preset, credential }: ApiConfig): Finding[] {
  const places = preset === null ? [] : presetOf(preset).credential;
  if (places.length === 0) return [];
  const missing = places.filter((place) => !credential.includes(place));
  const findings = credential.flatMap((place, index) =>
    place === 'bearer' || places.includes(place)
      ? []
      : [{ path: ['credential', index], message: `is ${place}, where no client of ${preset} puts a key` }],
  );
  if (missing.length === 0) return findings;
  const names = missing.map((place) => `"${place}"`).join(', ');
  return [
    ...findings,
    {
      path: ['credential'],
      message: `lacks ${names}, where clients of ${preset} put the key; it would reach the backend`,
    },
  ];
}

/** Routes that an API writes itself and whose paths belong to another one, or to none. A document may describe more than one API. */
function unreachedRoutes(name: ApiName, apis: Apis): Finding[] {
  const api = apis[name] as ApiConfig;
  if (api.openapi !== null) return [];
  return (api.routes ?? []).flatMap((route, index) => {
    const taker = takerOf(route.path, name, apis);
    if (taker === name) return [];
    const why =
      taker === null
        ? `\`paths\` does not hold it${api.paths === null && isUnder('/metrics', route.path) ? '; `paths: ["/"]` does' : ''}`
        : `\`apis.${taker}\` takes its path`;
    return [{ path: ['apis', name, 'routes', index, 'path'], message: `is reached by no request: ${why}` }];
  });
}

/** The API that a request to this path reaches, whatever its Host, as far as the path alone tells; null: none. */
function takerOf(path: string, own: ApiName, apis: Apis): ApiName | null {
  let taker: ApiName | null = null;
  let longest = -1;
  for (const [name, { paths, hosts }] of Object.entries(apis)) {
    // An API of other Hosts takes nothing from this one.
    if (name !== own && hosts.length > 0) continue;
    for (const prefix of pathsOf(name, paths)) {
      const { length } = foldPath(prefix);
      if (!isUnder(prefix, path) || length < longest || (length === longest && name !== own)) continue;
      longest = length;
      taker = name;
    }
  }
  // Who does not say its paths leaves these to the API that is named so, also where there is none.
  if (taker === null || taker === METRICS_API) return taker;
  const { paths, enforcement } = apis[taker] as ApiConfig;
  return paths === null && enforcement === 'enforce' && isUnder('/metrics', path) ? null : taker;
}

/** A folded path has no slash at its end. */
const isUnder = (prefix: string, path: string): boolean => `${foldPath(path)}/`.startsWith(`${foldPath(prefix)}/`);
