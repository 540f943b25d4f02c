/**
 * What a path may mean: each way in which some backend would read it, and which spellings are one to a lenient backend.
 * Plain paths have one reading. It refuses nothing; a path is refused, or matches no route, by what its readings show.
 */
import { decodeEscapes } from './percent-decoding.ts';

/**
 * ASP.NET takes a segment such as `(S(x))` for a session without a cookie, wherever it stands and whether it is used to such
 * sessions or not, and routes by the rest: `/prot/(S(x))ected` behind another one is `/protected` to it (CVE-2023-36899).
 */
export const COOKIELESS_SESSION = /\/\((?:[A-Z]\([^)/]*\))+\)/;

/** The same, where more of the path follows. */
export const COOKIELESS_SESSION_WITHIN = /\/\((?:[A-Z]\([^)/]*\))+\)\//;

/**
 * Every reading of a path in percent-encoded form: decoded once and twice, with `%2F` as data and as a separator, with and
 * without `;parameters`, with `//` kept and collapsed, with what follows an encoded `?` or `#` kept and cut off.
 */
export function readPath(path: string): readonly string[] {
  if (isPlainPath(path)) return [path];
  // In the order in which backends take these steps; each may be taken or left out.
  let readings = either([path], dropParameters);
  readings = [...readings.map(decodeKeepingSlashes), ...readings.map(decode)];
  for (const step of [decode, dropParameters, cutQuery, collapseSlashes]) readings = either(readings, step);
  return readings;
}

/** Whether a path is visible ASCII with nothing that could be read in two ways: its one reading is itself. */
export function isPlainPath(path: string): boolean {
  return /^[!-$&-:<-~]*$/.test(path) && !path.includes('//');
}

/**
 * The text under which two readings are one route: one trailing slash ignored, letters without case, accents, compatibility
 * forms (`ﬁ`, full-width, the Kelvin sign) and characters that show nothing. Coarser than any backend is, so that none finds
 * a spelling that is another route here.
 */
export function foldPath(reading: string): string {
  const path = withoutTrailingSlash(reading);
  return isAscii(path) ? path.toLowerCase() : foldText(path);
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The segments of a path; one slash at its end is ignored. */
export const segmentsOf = (path: string): string[] => withoutTrailingSlash(path).split('/').slice(1);

const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/g;

/** Decodes once; escapes that are no UTF-8 stay as they are. */
export function decode(text: string): string {
  return text.replace(ESCAPES, (escapes) => decodeEscapes(escapes) ?? escapes);
}

// oxlint-disable-next-line no-control-regex
export const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** What folding takes away, and what normalisation would first have to sort: of very many in a row in squared time. */
const MARKS = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu;

/** The compatibility decomposition (NFKD), without marks and without what shows nothing. */
export function decomposeWithoutMarks(text: string): string {
  return text.replace(MARKS, '').normalize('NFKD').replace(MARKS, '');
}

/** Lower case for the capital sharp s, upper for what has several lower forms (`ſ`, the dotless i), lower for the result. */
function foldText(text: string): string {
  return decomposeWithoutMarks(text).toLowerCase().toUpperCase().toLowerCase();
}

/** Each text, and what the step makes of it. A Set, because most steps change nothing. */
function either(texts: readonly string[], step: (text: string) => string): string[] {
  return [...new Set([...texts, ...texts.map(step)])];
}

/** NUL stands for the slash that is data: no path that is let through holds one. */
const decodeKeepingSlashes = (text: string): string => decode(text.replace(/%2f/gi, '%00'));

/** Path parameters of RFC 2396 3.3, as servlet containers still drop them. */
const dropParameters = (text: string): string => text.replace(/;[^/]*/g, '');

const cutQuery = (text: string): string => text.replace(/[?#].*/s, '');

const collapseSlashes = (text: string): string => text.replace(/\/{2,}/g, '/');
