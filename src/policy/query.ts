/**
 * Reads the names and values of a query string, for policy alone: the query itself is forwarded byte for byte.
 */
import { decodeEscapes } from '../lib/percent-decoding.ts';

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

/**
 * Whether some backend would find a method override in the query: `_method` in any letter case and encoding, with `;` as a
 * separator too, as an array (`_method[]`), or with the characters that PHP turns into `_` in names (`.`, space).
 */
export function overridesMethod(query: string): boolean {
  if (!query.includes('%') && !/method/i.test(query)) return false;
  return query
    .slice(1)
    .split(/[&;]/)
    .some((pair) => /^[_. ]method($|[[\0])/i.test(decode(pair.split('=', 1)[0] ?? '').trimStart()));
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
  return spaced.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
