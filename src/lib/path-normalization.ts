/**
 * Brings the path of a request into the one form that every server reads alike, and says why there is none when two servers
 * could read it as two paths. It never touches the query and never repairs what it finds.
 */
import { COOKIELESS_SESSION_WITHIN, decode, decomposeWithoutMarks, isAscii, readPath } from './path-reading.ts';
import { isPercentEncoded } from './percent-decoding.ts';

/** The ambiguities that an operator can let through, each by its name. */
export const PATH_QUIRKS = ['encoded-slash', 'encoded-percent', 'double-slash', 'semicolon'] as const;
export type PathQuirk = (typeof PATH_QUIRKS)[number];

/** A target in its one form, or why it has none. */
export type Normalization =
  { readonly ok: true; readonly value: NormalizedTarget } | { readonly ok: false; readonly why: string };

export interface NormalizedTarget {
  /** Percent-encoded unreserved characters decoded (RFC 3986 6.2.2.2); every other escape as received. */
  readonly path: string;
  /** '' or `?...`, byte for byte as received. */
  readonly query: string;
}

/**
 * Takes an origin-form target apart (RFC 9112 3.2.1) and normalizes its path. Ambiguous are dot segments, `//`, `\`, `;`,
 * control characters, broken escapes, invalid UTF-8, a segment that ends in a dot or space, encoded `/ \ . ; %`, characters
 * that turn into one of these in a legacy character set, and segments that are sessions of ASP.NET. A quirk lets through what it
 * names, as long as no reading of the path has a dot segment, a segment that ends in a dot or space, or such a session.
 */
export function normalizeTarget(target: string, quirks: ReadonlySet<PathQuirk>): Normalization {
  const end = plainPathEnd(target);
  if (end === target.length) return { ok: true, value: { path: target, query: '' } };
  if (end !== -1) return { ok: true, value: { path: target.slice(0, end), query: target.slice(end) } };

  const mark = target.indexOf('?');
  const received = mark === -1 ? target : target.slice(0, mark);
  const path = decodeUnreserved(received);
  const why = path === null ? 'percent-encoding that is broken or no UTF-8' : ambiguity(path, quirks);
  if (path === null || why !== null) return { ok: false, why: `the path holds ${why}` };
  return { ok: true, value: { path, query: mark === -1 ? '' : target.slice(mark) } };
}

const SLASH = 0x2f;
const DOT = 0x2e;
const QUESTION_MARK = 0x3f;

/** By character code: what a path segment may hold that every server reads alike (RFC 3986 3.3, less `%`, `;` and `(`). */
const PLAIN = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9._~!$&')*+,=:@-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Where the path ends in a target with nothing to decode or to doubt, -1 for all others: most requests get no further. */
function plainPathEnd(target: string): number {
  if (target.charCodeAt(0) !== SLASH) return -1;
  let previous = SLASH;
  let i = 1;
  for (; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === QUESTION_MARK) break;
    if (code === SLASH ? previous === SLASH || previous === DOT : PLAIN[code] !== 1) return -1;
    previous = code;
  }
  return previous === DOT ? -1 : i;
}

/** null: broken escapes or invalid UTF-8 (RFC 3629), over-long forms and surrogates among it. */
function decodeUnreserved(path: string): string | null {
  if (!isPercentEncoded(path)) return null;
  // A dot stays encoded, to be refused as one: its author wanted it to be overlooked.
  return path.replace(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9_~-]/.test(character) ? character : escape;
  });
}

/** Refused in every configuration. */
const NEVER: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^(?!\/)/, 'no leading slash'],
  [/[^!-~]|#/, 'a character that must be percent-encoded'],
  [/\\|%5C/i, 'a backslash'],
  [/%(?:[01][0-9A-F]|7F)/i, 'a control character'],
  [/%2E/i, 'an encoded dot'],
  // Whoever resolves it as a reference reads a host name (RFC 3986 4.2).
  [/^\/\//, 'a leading double slash'],
  [/%25(?:2[EF5]|5C|3B|[01][0-9A-F]|7F)/i, 'an ambiguous character that is encoded twice'],
];

/** Refused unless the quirk is allowed. */
const UNLESS_ALLOWED: Readonly<Record<PathQuirk, readonly [pattern: RegExp, name: string]>> = {
  'encoded-slash': [/%2F/i, 'an encoded slash'],
  'encoded-percent': [/%25/, 'an encoded percent sign'],
  'double-slash': [/\/\//, 'a double slash'],
  semicolon: [/;|%3B/i, 'a semicolon'],
};

/** What makes the path ambiguous, for the operator; null: nothing. */
function ambiguity(path: string, quirks: ReadonlySet<PathQuirk>): string | null {
  for (const [pattern, name] of NEVER) if (pattern.test(path)) return name;
  for (const quirk of PATH_QUIRKS) {
    const [pattern, name] = UNLESS_ALLOWED[quirk];
    if (!quirks.has(quirk) && pattern.test(path)) return name;
  }
  for (const reading of readPath(path)) {
    const why = readingProblem(reading, quirks.has('double-slash'));
    if (why !== null) return why;
  }
  return null;
}

/** What a backend that reads the path this way would stumble over. */
function readingProblem(reading: string, mayDoubleSlash: boolean): string | null {
  if (reading.startsWith('//') || (!mayDoubleSlash && reading.includes('//'))) return 'an empty segment';
  if (COOKIELESS_SESSION_WITHIN.test(reading)) return 'a segment that ASP.NET takes out of the path';
  if (/%[0-9A-Fa-f]{2}/.test(decode(reading))) return 'percent-encoding that is nested too deep or no UTF-8';
  const visible = isAscii(reading) ? reading : reading.replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  if (/[.\s](?:\/|$)/.test(visible)) return 'a segment that ends in a dot or a space';
  return isAscii(reading) ? null : lookAlikeProblem(reading);
}

/**
 * Full-width and other compatibility forms become their plain characters in servers that normalize (NFKC) or convert to a
 * code page ("best fit"), which also takes the yen and won signs for `\` and the fraction slash for `/`.
 */
function lookAlikeProblem(reading: string): string | null {
  // oxlint-disable-next-line no-control-regex
  const foreign = reading.replace(/[\0-\x7f]/g, '');
  if (/[\x80-\x9f]/.test(foreign)) return 'a control character';
  const delimiter = /[\u00a5\u20a9\u2044\u2215\u2216]/.test(foreign) || /[/\\.;%]/.test(decomposeWithoutMarks(foreign));
  return delimiter ? 'a character that some servers take for a path delimiter' : null;
}
