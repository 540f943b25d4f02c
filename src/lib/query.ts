/**
 * Reads the names and values of a query string and never changes it. It knows in how many ways a lenient backend may read a
 * parameter's name; what follows from that is decided elsewhere.
 */
import { foldName, foldUpTo, IGNORED } from './name-folding.ts';
import { decodeEscapes } from './percent-decoding.ts';

export interface QueryParameter {
  readonly name: string;
  readonly value: string;
  /** Where `name=value` stands in the query string, `?` included. */
  readonly start: number;
  readonly end: number;
}

/** The parameters of a query string that starts with `?`, in order, decoded as application/x-www-form-urlencoded. */
export function queryParameters(query: string): QueryParameter[] {
  const parameters: QueryParameter[] = [];
  // Looked for anew only once it was passed: a query without any must not be searched to its end for each parameter.
  let equals = query.indexOf('=');
  for (let start = 1; start < query.length;) {
    let end = query.indexOf('&', start);
    if (end === -1) end = query.length;
    if (equals !== -1 && equals < start) equals = query.indexOf('=', start);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    parameters.push({
      name: decode(query.slice(start, nameEnd)),
      value: decode(query.slice(Math.min(nameEnd + 1, end), end)),
      start,
      end,
    });
    start = end + 1;
  }
  return parameters;
}

/** Whether a name, as it is written in a query, is one that some backend reads as the name this was made for. */
export type NameReader = (written: string) => boolean;

/**
 * Makes the reader of a name once. A backend may decode a name up to three times, mind no letter case, turn `.`, space and `[`
 * into `_` (PHP), end it at a NUL or leave that out, drop spaces, brackets and a second question mark (URLSearchParams) before
 * it, and take `name[]` and `name[x]` for the name with an array, and characters for the nearest ones of ASCII.
 */
export const compileNameReader = (name: string): NameReader => compileNamesReader([name]);

/** The same for several names, of which a written one may be read as any. */
export function compileNamesReader(names: readonly string[]): NameReader {
  const folded = new Set(names.map((name) => foldName(underscored(name))));
  const longest = Math.max(...[...folded].map(({ length }) => length));
  const matches = (text: string): boolean => {
    if (PRINTABLE.test(text)) return folded.has(underscored(text).trim().toLowerCase());
    const read = foldUpTo(underscored(compatible(text, longest)), longest);
    return read !== null && folded.has(read);
  };
  return (written) => {
    if (PLAIN.test(written)) return folded.has(written.toLowerCase());
    return decodings(written).some((decoded) => {
      const nul = decoded.indexOf('\0');
      const texts = nul === -1 ? [decoded] : [decoded, decoded.slice(0, nul)];
      return texts.some((text) => matches(text.trim()) || matches(withoutIndex(text)));
    });
  };
}

/** How many of a query's parameters have a name that the reader takes, whether they are parted by `&` or by `;`. */
export function countReadAs(query: string, isName: NameReader): number {
  let count = 0;
  for (const written of writtenNames(query)) if (isName(written)) count++;
  return count;
}

/** The form in which listed parameter names are compared: decoded once, in one letter case; '' for what is no such name. */
export function foldParameterName(written: string): string {
  const name = decode(written);
  return PARAMETER.test(name) ? name.toLowerCase() : '';
}

/** What a route may list, and no backend reads in two ways but for its letter case. */
const PARAMETER = /^[\w.$~-]+$/;

/** What a query may hold: by folded name the values that a parameter may have; null: any. */
export type ListedParameters = ReadonlyMap<string, ReadonlySet<string> | null>;

/** Compiles a list of names (`ip`) and of names with one value each (`compression=gzip-js`). */
export function listParameters(entries: readonly string[]): ListedParameters {
  const listed = new Map<string, Set<string> | null>();
  for (const entry of entries) {
    const [name, value] = partsOf(entry);
    const folded = foldParameterName(name);
    const values = listed.get(folded);
    if (value === null || values === null) listed.set(folded, null);
    else listed.set(folded, new Set([...(values ?? []), value]));
  }
  return listed;
}

/**
 * The first thing in the query that is no listed parameter standing there once; null when there is none. A name with an index, a
 * NUL or a second encoding is another name, and so not listed. What a backend finds that decodes the whole query before it takes
 * it apart, or begins anew at a second question mark, has to be listed just so.
 */
export function objectionToQuery(query: string, listed: ListedParameters): 'unlisted' | 'repeated' | null {
  let text = query.slice(1);
  for (let times = 0; ; times++) {
    const objection = objectionToParameters(text, listed);
    if (objection !== null || times === MAX_DECODINGS || !HIDDEN_SEPARATOR.test(text)) return objection;
    text = decode(text);
  }
}

function objectionToParameters(text: string, listed: ListedParameters): 'unlisted' | 'repeated' | null {
  if (QUESTION_MARK_FIRST.test(text)) return 'unlisted';
  const seen = new Set<string>();
  for (const piece of text.split(/[&;?]/)) {
    if (piece === '') continue;
    const [written, value] = partsOf(piece);
    const name = foldParameterName(written);
    const values = listed.get(name);
    if (values === undefined || (values !== null && !values.has(value ?? ''))) return 'unlisted';
    if (seen.has(name)) return 'repeated';
    seen.add(name);
  }
  return null;
}

/** A parameter whose name begins with one. */
const QUESTION_MARK_FIRST = /(?:^|[&;?])\?/;

/** `&`, `;` and `?` encoded, once or more often. */
const HIDDEN_SEPARATOR = /%(?:25)*(?:26|3b|3f)/i;

function partsOf(text: string): [name: string, value: string | null] {
  const equals = text.indexOf('=');
  return equals === -1 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Such a name means the same to everybody, but for its letter case. */
const PLAIN = /^[\w$~-]*$/;

const MAX_DECODINGS = 3;

/** The names of all parameters as they are written; where nothing stands between two separators there is none. */
function writtenNames(query: string): string[] {
  const names: string[] = [];
  for (const piece of query.slice(1).split(/[&;]/)) if (piece !== '') names.push(piece.split('=', 1)[0] as string);
  return names;
}

/** What servers make of a name: classic ASP leaves out a percent sign that begins no escape, old Java takes overlong UTF-8. */
function decodings(written: string): string[] {
  const whole = written.replaceAll(STRAY_PERCENT, '');
  const texts = whole === written ? decodedAgain(written) : [...decodedAgain(written), ...decodedAgain(whole)];
  const overlong = texts.filter((text) => text.search(OVERLONG) !== -1);
  return [...texts, ...overlong.map((text) => text.replaceAll(OVERLONG, shortest))];
}

const STRAY_PERCENT = /%(?!u?[0-9a-f]{2})/gi;
/** The two bytes of a character of ASCII, as characters. */
const OVERLONG = /[\u00c0\u00c1][\u0080-\u00bf]/g;

const shortest = (pair: string): string =>
  String.fromCharCode(((pair.charCodeAt(0) & 1) << 6) | (pair.charCodeAt(1) & 0x3f));

/** A name decoded once, twice, and so on, as long as that makes another one of it; `%uXXXX` too, as some servers do. */
function decodedAgain(written: string): string[] {
  const texts: string[] = [];
  for (let text = written; texts.length < MAX_DECODINGS;) {
    const decoded = decode(text.replaceAll(/%u([0-9a-f]{4})/gi, (_, hex: string) => character(hex)));
    if (decoded === texts.at(-1)) break;
    texts.push(decoded);
    text = decoded;
  }
  return texts;
}

/** Full-width letters and the like as the plain ones; a text that is too long for a name of `length` stays as it is. */
function compatible(text: string, length: number): string {
  const visible = text.replace(IGNORED, '');
  return visible.length > 8 * length ? visible : visible.normalize('NFKC');
}

const PRINTABLE = /^[ -~]*$/;

/** What PHP makes of a name: a variable's. */
function underscored(name: string): string {
  return name.replaceAll(/[. [\]]/g, '_');
}

/** `name` of `name[]`, `name[x]`, `[name]`, `?name` and ` name[`. */
function withoutIndex(text: string): string {
  const start = text.search(/[^\s[\]?]/);
  return start === -1 ? '' : (text.slice(start).split(/[[\]]/, 1)[0] as string).trim();
}

/** Percent-decoding that never fails: where a sequence is broken it stays, and the bytes of the others are a character each. */
function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  let isUtf8 = !/%(?![0-9a-f]{2})/i.test(spaced);
  const decoded = spaced.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    const read = isUtf8 ? decodeEscapes(escapes) : null;
    isUtf8 &&= read !== null;
    return read ?? '';
  });
  if (isUtf8) return decoded;
  return spaced.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => character(hex));
}

const character = (hex: string): string => String.fromCharCode(Number.parseInt(hex, 16));
