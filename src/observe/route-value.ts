/**
 * How a route is counted: as it is listed, else as the path with everything that looks like an identifier, or that a list of routes
 * could not hold, written as `:id`. What cannot be written down so that it fits again is not.
 */
import { allowedRouteProblem, compileAllowedRoutes } from '../keys/allowed-routes.ts';
import { isPlainPath } from '../lib/path-reading.ts';

export interface ObservedRoute {
  readonly api: string;
  readonly method: string;
  /** A pattern: `:id` stands for one segment. */
  readonly path: string;
  readonly listed: boolean;
}

/** One text for a route, without a space in any of its four parts. */
export const routeValue = ({ api, method, path, listed }: ObservedRoute): string =>
  `${api} ${listed ? 'listed' : 'unlisted'} ${method} ${path}`;

/** Reads what `routeValue` wrote; null for anything else. */
export function readRouteValue(value: string): ObservedRoute | null {
  const [api = '', listed = '', method = '', path = '', ...more] = value.split(' ');
  const isOne = more.length === 0 && api !== '' && method !== '' && path.startsWith('/');
  if (!isOne || (listed !== 'listed' && listed !== 'unlisted')) return null;
  return { api, method, path, listed: listed === 'listed' };
}

/** What stands for any one segment. */
const ANY = ':id';

const DIGITS = /^\d+$/;
const HEX = /^[0-9a-f]{16,}$/i;
/** Of base64, base64url and what tokens are written in besides. A UUID is one of these. */
const TOKEN = /^[\w.~+=-]{20,}$/;

/** Whether a segment names one thing of many rather than a kind of thing. */
export const looksLikeIdentifier = (segment: string): boolean =>
  DIGITS.test(segment) || HEX.test(segment) || TOKEN.test(segment);

/** What a pattern takes for more than its letters, or may not hold. */
const UNWRITABLE = /^:|[^!-~]|[%*{}]/;

/**
 * The pattern of a normalized path that no route lists, or null: none fits it in every way in which some backend would read it.
 */
export function patternOf(path: string): string | null {
  const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const pattern = bare
    .split('/')
    .map((segment) => (looksLikeIdentifier(segment) || UNWRITABLE.test(segment) ? ANY : segment))
    .join('/');
  const line = `* ${pattern}`;
  if (isPlainPath(path)) return allowedRouteProblem(line) === null ? pattern : null;
  return allowedRouteProblem(line) === null && compileAllowedRoutes([line]).admits('GET', path) ? pattern : null;
}
