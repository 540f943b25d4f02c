/**
 * Decides whether a body may be read as JSON in UTF-8, and which coding it is in, from its Content-Type and Content-Encoding.
 * Whatever a backend could take for another type, charset or coding is refused. The body itself is not looked at.
 */
import zlib from 'node:zlib';
import { allowed, type Decision, type Refusal, refusal, refused } from '../refusal.ts';
import { mayBeForm } from './form-media.ts';

/** The content codings of RFC 9110 8.4.1, RFC 7932 and RFC 8878 that can be decoded here. */
export type ContentCoding = 'identity' | 'gzip' | 'deflate' | 'br' | 'zstd';

/** RFC 9110 8.3.1: type, subtype, and the rest with its parameters. `token` is that of 5.6.2. */
const MEDIA_TYPE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\/([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?=;|$)/;
/** RFC 9110 5.6.6: a parameter may be missing after its semicolon; no space stands around the equals sign. */
const PARAMETER =
  /;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?(?=;|$)/sy;

const CODINGS: ReadonlyMap<string, ContentCoding> = new Map<string, ContentCoding>([
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  // RFC 9110 8.4.1.3: recipients treat it as gzip.
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  // From Node 22.15 on.
  ...('zstdDecompress' in zlib ? [['zstd', 'zstd'] as const] : []),
]);

/** Admits JSON types, text/plain and no type at all, in UTF-8 or without a charset. */
export function checkMedia(contentType: string | undefined): Refusal | null {
  if (contentType === undefined || contentType === 'application/json') return null;
  const [head, type, subtype] = MEDIA_TYPE.exec(contentType) ?? [];
  if (head === undefined || type === undefined || subtype === undefined) return unsupported('malformed');
  if (!isJsonOrText(`${type}/${subtype}`.toLowerCase())) return unsupported('neither JSON nor text/plain');
  if (mayBeForm(contentType)) return unsupported('a form to some backends');
  const charsets = readCharsets(contentType, head.length);
  if (charsets === null) return unsupported('malformed parameters');
  if (charsets.length > 1) return unsupported('more than one charset');
  if (charsets.length === 1 && charsets[0] !== 'utf-8') return unsupported('a charset other than UTF-8');
  if (timesNamed(contentType) > charsets.length) return unsupported('a charset to some backends');
  return null;
}

/** A form whose fields stand in the body as in a query, in UTF-8, with nothing else said of it. */
export const isUrlEncoded = (contentType: string): boolean => URL_ENCODED.test(contentType);

const URL_ENCODED = /^application\/x-www-form-urlencoded(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i;

/**
 * The one coding of the body. `fieldCount`: how many Content-Encoding fields came; two could be taken for one or the other.
 */
export function contentCoding(value: string | undefined, fieldCount = 1): Decision<ContentCoding> {
  if (value === undefined) return allowed('identity');
  if (fieldCount > 1) return refused(refusal('unsupported_encoding', 'Content-Encoding: repeated'));
  const coding = CODINGS.get(value.toLowerCase());
  return coding === undefined
    ? refused(refusal('unsupported_encoding', 'Content-Encoding: unknown, or more than one coding'))
    : allowed(coding);
}

function isJsonOrText(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType === 'text/plain' || /^application\/.+\+json$/.test(mediaType);
}

/**
 * How often the word stands anywhere. Servlet containers look for `charset=` in the whole field, and Rack parts it at each semicolon:
 * both find it in a quoted value, the first in a longer name as well.
 */
const timesNamed = (contentType: string): number => contentType.replaceAll('\\', '').match(/charset/gi)?.length ?? 0;

/**
 * The values of all charset parameters in lower case; null when the parameters are malformed. An escape in a quoted value is
 * kept as it is, since not everyone resolves it; so is the name `charset*` (RFC 8187) counted, since some do.
 */
function readCharsets(contentType: string, start: number): string[] | null {
  const charsets: string[] = [];
  PARAMETER.lastIndex = start;
  for (let at = start; at < contentType.length; at = PARAMETER.lastIndex) {
    const match = PARAMETER.exec(contentType);
    if (match === null) return null;
    const name = match[1]?.toLowerCase();
    if (name === 'charset' || name?.startsWith('charset*')) charsets.push((match[2] ?? match[3] ?? '').toLowerCase());
  }
  return charsets;
}

function unsupported(why: string): Refusal {
  return refusal('unsupported_media_type', `Content-Type: ${why}`);
}
