/**
 * Which API a request is for: of those that serve its Host, the one with the longest path prefix that any reading of its path is
 * under. Compiled once, so that the number of APIs does not matter. It knows nothing of routes.
 */
import { METRICS_API, pathsOf } from '../config/api-names.ts';
import { lenientReadings } from '../lib/lenient-readings.ts';
import { foldPath, isPlainPath, readPath } from '../lib/path-reading.ts';
import { isTokenPath } from './own-endpoint.ts';
import type { ApiChoice, ApiRules } from './ruleset.ts';

/** An API as it is chosen by. */
export interface Choosable {
  readonly rules: ApiRules;
  /** As written; null: the API does not say where it is. */
  readonly paths: readonly string[] | null;
}

/** Compiles the choice among all APIs of a configuration, of which no two say the same path for the same Host. */
export function compileApiChoice(apis: readonly Choosable[]): ApiChoice {
  const general = tableOf(
    apis.filter(({ rules }) => rules.hosts === null),
    apis,
  );
  const byHost = new Map<string, Table>();
  for (const host of new Set(apis.flatMap(({ rules }) => [...(rules.hosts ?? [])])))
    byHost.set(
      host,
      tableOf(
        apis.filter(({ rules }) => rules.hosts?.has(host) === true),
        apis,
      ),
    );
  const withTokens = apis.map(({ rules }) => rules).filter(({ tokenPath }) => tokenPath !== null);

  const findAmongReadings = (name: string, named: Table, path: string): ApiRules | null => {
    // What is sent to a token endpoint holds a secret: whichever reading is one decides.
    const issuing = withTokens.find((api) => (api.hosts?.has(name) ?? true) && isTokenPath(api, path));
    if (issuing !== undefined) return issuing;
    let best = NOWHERE;
    for (const reading of readPath(path)) {
      const found = longest(named, general, reading, foldPath);
      if (found.length > best.length) best = found;
      else if (found.length === best.length && found.api !== best.api) best = { api: null, length: best.length };
    }
    return best.api;
  };

  return {
    find(host, path) {
      const name = byHost.size === 0 ? '' : hostName(host);
      const named = byHost.get(name) ?? EMPTY;
      if (!isPlainPath(path)) return findAmongReadings(name, named, path);
      return longest(named, general, path, lowerCase).api;
    },
    findTolerant(host, path) {
      const name = byHost.size === 0 ? '' : hostName(host);
      return onlyReporting(byHost.get(name) ?? EMPTY, general, path);
    },
  };
}

/** The APIs that serve one Host, or those that serve every one. */
interface Table {
  readonly apis: readonly ApiRules[];
  /** By prefix, folded. */
  readonly byPrefix: ReadonlyMap<string, Claim>;
  /** Of the longest prefix, in segments. */
  readonly depth: number;
}

interface Claim {
  readonly found: Found;
  /** It leaves `/metrics` to others. */
  readonly leavesMetrics: boolean;
}

interface Found {
  readonly api: ApiRules | null;
  /** Of the prefix, in characters; -1: there is none. */
  readonly length: number;
}

const EMPTY: Table = { apis: [], byPrefix: new Map(), depth: 0 };
const NOWHERE: Found = { api: null, length: -1 };
/** What APIs that do not say their paths leave alone: the place of an API named metrics, whether there is one or not. */
const METRICS_PREFIX = '/metrics';
const LEFT_ALONE: Found = { api: null, length: METRICS_PREFIX.length };

function tableOf(serving: readonly Choosable[], all: readonly Choosable[]): Table {
  const movedAway = all.some(({ rules, paths }) => rules.name === METRICS_API && paths !== null);
  const byPrefix = new Map<string, Claim>();
  for (const { rules, paths } of serving) {
    const leavesMetrics = !movedAway && paths === null && rules.name !== METRICS_API && rules.enforcement === 'enforce';
    for (const prefix of pathsOf(rules.name, paths).map(foldPath))
      byPrefix.set(prefix, { found: { api: rules, length: prefix.length }, leavesMetrics });
  }
  const depths = [...byPrefix].map(([prefix, { leavesMetrics }]) => (leavesMetrics ? 1 : prefix.split('/').length - 1));
  return { apis: serving.map(({ rules }) => rules), byPrefix, depth: Math.max(0, ...depths) };
}

/**
 * An ambiguous path leads to the API in report mode to which every reading of it leads. Whatever its backend makes of it, it is
 * nothing that another API serves, that no API serves, or that holds a client secret.
 */
function onlyReporting(named: Table, general: Table, path: string): ApiRules | null {
  const apis = [...named.apis, ...general.apis];
  const [only = null] = apis;
  if (!apis.some(({ enforcement }) => enforcement === 'report')) return null;
  if (apis.length === 1 && only?.tokenPath === null && (named.byPrefix.has('') || general.byPrefix.has('')))
    return only;
  const readings = lenientReadings(path);
  if (readings === null) return null;
  const [first = '', ...others] = readings;
  const { api } = longest(named, general, first, foldPath);
  if (api?.enforcement !== 'report') return null;
  if (others.some((reading) => longest(named, general, reading, foldPath).api !== api)) return null;
  const folded = readings.map(foldPath);
  return apis.some(({ tokenPath }) => tokenPath !== null && folded.includes(tokenPath)) ? null : api;
}

/** Looks no further than the longest prefix could reach: a path may have very many segments. */
function longest(named: Table, general: Table, path: string, fold: (start: string) => string): Found {
  const folded = fold(path.slice(0, endOfSegments(path, Math.max(named.depth, general.depth))));
  for (let end = folded.length; ; end = folded.lastIndexOf('/', end - 1)) {
    const prefix = folded.slice(0, end);
    const claim = named.byPrefix.get(prefix) ?? general.byPrefix.get(prefix);
    if (claim !== undefined) return claim.leavesMetrics && isUnderMetrics(folded) ? LEFT_ALONE : claim.found;
    if (end <= 0) return NOWHERE;
  }
}

const isUnderMetrics = (folded: string): boolean =>
  folded.startsWith(METRICS_PREFIX) &&
  (folded.length === METRICS_PREFIX.length || folded[METRICS_PREFIX.length] === '/');

/** What folding a plain path comes to. */
const lowerCase = (text: string): string => text.toLowerCase();

/** Where this many segments of a path end. */
function endOfSegments(path: string, count: number): number {
  let end = 0;
  for (let i = 0; i < count; i++) {
    end = path.indexOf('/', end + 1);
    if (end === -1) return path.length;
  }
  return end;
}

/** The host name of a Host value: lower case, without port and final dot (RFC 3986 3.2.2). */
function hostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  return (end <= 0 ? host : host.slice(0, end)).toLowerCase().replace(/\.$/, '');
}
