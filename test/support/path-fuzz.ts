/**
 * Throws attack spellings of known paths at the path and route rungs and holds what they let through against every lenient
 * reading: no backend may find a dot segment, another listed route, or the metrics API where Postern did not.
 */
import * as fc from 'fast-check';
import type { RouteDefinition } from '../../src/config/route-definition.ts';
import { normalizeTarget, PATH_QUIRKS, type PathQuirk } from '../../src/lib/path-normalization.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import { apiRules, rulesOf } from './passages.ts';
import { findLeniently, LENIENCIES, readLeniently, type Leniency } from './lenient-path.ts';

/** `admitted`, `matched`: how many cases passed the path rung, and found a route: a fuzz that admits nothing proves nothing. */
export interface PathFuzzResult {
  readonly cases: number;
  readonly admitted: number;
  readonly matched: number;
}

/** Runs the fuzz; throws with the smallest counterexample. The same seed gives the same cases. */
export function runPathFuzz({ cases, seed }: { cases: number; seed: number }): PathFuzzResult {
  let admitted = 0;
  let matched = 0;
  fc.assert(
    fc.property(target, fc.constantFrom('GET', 'POST'), quirks, (spelling, method, allowed) => {
      const normalized = normalizeTarget(spelling, allowed);
      if (!normalized.ok) return;
      admitted++;
      if (checkReadings(normalized.value.path, method)) matched++;
    }),
    { numRuns: cases, seed },
  );
  return { cases, admitted, matched };
}

/** Routes that overlap on purpose, so that a spelling can slip from one to another. All lower case. */
const ROUTES: readonly RouteDefinition[] = [
  { method: 'POST', path: '/event/ingest', events: 'name' },
  { method: 'POST', path: '/event/ingest/batch', events: 'events[].name' },
  { method: 'POST', path: '/:collection', events: 'name' },
  { method: 'POST', path: '/health' },
  { method: 'POST', path: '/:collection/ingest' },
  { method: 'GET', path: '/profile/:id' },
  { method: 'GET', path: '/profile/me' },
  { method: 'GET', path: '/:kind/list' },
  { method: 'POST', path: '/metrics/query' },
  { method: 'POST', path: '/metrics/query/:id' },
];

const router = compileRoutes(ROUTES);

/** Whether a route was found. */
const rules = rulesOf([], { metrics: apiRules({ name: 'metrics' }) });

function checkReadings(path: string, method: string): boolean {
  const match = router.match(method, path);
  const metrics = rules.choice.find('api.test', path)?.name === 'metrics';
  for (const leniency of LENIENCIES) {
    const { segments, hadDots } = readLeniently(path, leniency);
    if (hadDots) throw found('a dot segment', path, leniency);
    if (segments[0]?.toLowerCase() === 'metrics' && !metrics) throw found('the metrics API', path, leniency);
    if (match === null) continue;
    const route = findLeniently(ROUTES, method, segments);
    if (route?.path === match.route.pattern) continue;
    // Nothing found is a 404 where letter case or compatibility forms matter; elsewhere it is a path that is not listed.
    if (route !== null || mustFind(leniency, segments)) throw found(route?.path ?? 'no route', path, leniency);
  }
  return match !== null;
}

const mustFind = ({ foldsCase, decodes }: Leniency, segments: readonly string[]): boolean =>
  foldsCase && decodes > 0 && segments.every((segment) => /^[!-~]*$/.test(segment));

const found = (what: string, path: string, leniency: Leniency): Error =>
  new Error(`a lenient backend reads ${what} in ${path}: ${JSON.stringify(leniency)}`);

const hex = (character: string): string =>
  Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** One character in a spelling that some backend takes for it. */
const spell = (character: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(character) },
    { weight: 1, arbitrary: fc.constant(character.toUpperCase()) },
    { weight: 1, arbitrary: fc.constant(hex(character)) },
    { weight: 1, arbitrary: fc.constant(hex(character).toUpperCase()) },
    { weight: 1, arbitrary: fc.constant(hex(character).replaceAll('%', '%25')) },
    { weight: 1, arbitrary: fc.constantFrom(...lookAlikes(character)) },
  );

const lookAlikes = (character: string): string[] => {
  const fullWidth = String.fromCodePoint((character.codePointAt(0) as number) + 0xfee0);
  const folding = { s: 'ſ', k: 'K', i: 'ı' }[character];
  return [fullWidth, ...(folding === undefined ? [] : [folding]), `${character}\u200b`, `${character}\u0301`].map(hex);
};

const word = fc
  .constantFrom('event', 'ingest', 'batch', 'health', 'profile', 'me', 'list', 'metrics', 'query', 'x')
  .chain((text) => fc.tuple(...Array.from(text, spell)))
  .map((characters) => characters.join(''));

const separator = fc.oneof(
  { weight: 12, arbitrary: fc.constant('/') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...[
        ['//', '/./', '/../', '/%2e%2e/', '/.%2E/', '/..;/', '/;/', '/;x/', ';x/', '%3bx/', '%3B/', ';/', ';%2f..%2f'],
        ['%2f', '%2F', '%2f%2e%2e%2f', '%2f..%2f', '%252f', '%25252f', '\\', '%5c', '%5C..%5c', '%255c', '\\..\\'],
        ['/.', './', '/...', '/ ', '%20/', '/%20', '%09/', '%00/', '%00', '/%252e%252e/', '/%25%2532%2565/', '%c0%af'],
        ['%u002e', '%', '%2', '/%e2%80%8b', '%ef%bc%8f', '/%ef%bc%8e%ef%bc%8e/', '%e2%88%95', '%3f', '%23', '%253f'],
        ['/%2e', '%2e/', '+', '%2B', '/%2f', '%2f/', '/%3b', '/..%e2%80%8b/', '%c2%a0/', '%25', '%25/', '%2541'],
      ].flat(),
    ),
  },
);

/** Attack spellings of the paths of known routes. */
const target = fc
  .array(fc.tuple(separator, fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: fc.constant('') })), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((parts) =>
    fc.tuple(fc.constant(parts.flat().join('')), fc.constantFrom('', '', '/', '?a=/../b', '%3fa', ';', '.')),
  )
  .map(([path, end]) => (path.startsWith('/') ? path : `/${path}`) + end);

const quirks: fc.Arbitrary<ReadonlySet<PathQuirk>> = fc
  .oneof(fc.constant([]), fc.subarray([...PATH_QUIRKS]))
  .map((allowed: readonly PathQuirk[]) => new Set(allowed));
