/**
 * Finds the one field of a urlencoded form that holds JSON, and writes another value in its place. A form that two parsers could
 * take apart in two ways, or in which a second field could hold something, is refused.
 */
import { compileNameReader, objectionToQuery, type ListedParameters, type NameReader } from '../lib/query.ts';
import { allowed, refusal, refused, type Decision } from '../refusal.ts';
import { byteClass, OPEN_ARRAY, OPEN_OBJECT } from './scan.ts';

/** The field that holds the JSON, and what else a form may hold; null: anything that is no second such field, and no credential. */
export interface FormRule {
  readonly field: string;
  readonly isField: NameReader;
  /** Of each credential that some backend may look for in a form. */
  readonly isCredential: readonly NameReader[];
  readonly others: ListedParameters | null;
}

/** `credentials`: names of fields in which nobody here looks for a credential, and a backend may. */
export const formRule = (
  field: string,
  others: ListedParameters | null,
  credentials: readonly string[] = [],
): FormRule => ({
  field,
  isField: compileNameReader(field),
  isCredential: credentials.map(compileNameReader),
  others,
});

/** What the field holds, and where its value stands in the form. */
export interface FormField {
  /** JSON, or what was in base64: nobody looked whether that is JSON. */
  readonly value: Buffer;
  readonly isBase64: boolean;
  /** Base64 with a plus sign that is no escape: some readers take it for a space. */
  readonly isLoose: boolean;
  readonly start: number;
  readonly end: number;
}

const invalid = (why: string): Decision<never> => refused(refusal('invalid_event_body', `form: ${why}`));

const SPLIT = invalid('a parameter without a name, or with one that is not written plainly');
const NOT_ONCE = invalid('not exactly one field that holds the JSON');
const UNLISTED = invalid('a field that the route does not list, or one twice');
const CREDENTIAL = invalid('a field that holds a credential, which belongs into the JSON or another place');
const NOT_ENCODED = invalid('a value that is not percent-encoded');
const NOT_BASE64 = invalid('the value is neither JSON nor base64 in its one form (RFC 4648 4)');

/** Finds the field in a form. */
export function readForm(body: Buffer, { field, isField, isCredential, others }: FormRule): Decision<FormField> {
  const text = body.toString('latin1');
  const rest: string[] = [];
  let restLength = 0;
  let place: { start: number; end: number } | null = null;
  for (let at = 0; at <= text.length;) {
    const found = text.indexOf('&', at);
    const end = found === -1 ? text.length : found;
    const equals = text.indexOf('=', at);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    const name = text.slice(at, nameEnd);
    if (nameEnd === end || name.length > LONGEST_NAME || !PLAIN_NAME.test(name)) return SPLIT;
    if (name === field) {
      if (place !== null) return NOT_ONCE;
      place = { start: nameEnd + 1, end };
    } else if (isField(name)) return NOT_ONCE;
    else if (isCredential.some((isName) => isName(name))) return CREDENTIAL;
    else {
      rest.push(text.slice(at, end));
      restLength += end - at;
    }
    if (rest.length > MOST_FIELDS || (others !== null && restLength > MOST_LISTED_LENGTH)) return UNLISTED;
    at = end + 1;
  }
  if (place === null) return NOT_ONCE;
  if (others !== null && objectionToQuery(`?${rest.join('&')}`, others) !== null) return UNLISTED;
  return readValue(body, place);
}

/** Far more than any list holds; each of them is looked at. */
const MOST_FIELDS = 256;
/** In characters. What is looked at in many ways must not be long: a listed field is none that holds data. */
const LONGEST_NAME = 256;
/** Of all listed fields, in characters: as much as a query may have. */
const MOST_LISTED_LENGTH = 16_384;

/** What every parser reads as the same name. A name may be escaped where the list says so. */
const PLAIN_NAME = /^(?:[\w.~-]|%24)+$/;

/** What stands for itself in a value: unreserved characters, and what JavaScript's own encoding leaves, or base64 has. */
const PLAIN = byteClass((byte) => /[A-Za-z0-9*._~!'()/-]/.test(String.fromCharCode(byte)));
const PERCENT = 0x25;
const PLUS = 0x2b;
const EQUALS = 0x3d;
const SPACE = 0x20;

function readValue(body: Buffer, { start, end }: { start: number; end: number }): Decision<FormField> {
  const isJson = beginsJson(body, start, end);
  const value = Buffer.allocUnsafe(end - start);
  let filled = 0;
  let isLoose = false;
  for (let at = start; at < end; at++) {
    const byte = body[at] as number;
    if (PLAIN[byte] === 1) value[filled++] = byte;
    else if (byte === PLUS) {
      value[filled++] = isJson ? SPACE : PLUS;
      isLoose = !isJson;
    } else if (byte === PERCENT && at + 2 < end) {
      const [high, low] = [HEX[body[at + 1] as number] as number, HEX[body[at + 2] as number] as number];
      if (high === NO_DIGIT || low === NO_DIGIT) return NOT_ENCODED;
      value[filled++] = (high << 4) | low;
      at += 2;
    } else if (byte === EQUALS && !isJson && at >= end - 2) value[filled++] = byte;
    else return NOT_ENCODED;
  }
  const decoded = value.subarray(0, filled);
  if (isJson) return allowed({ value: decoded, isBase64: false, isLoose, start, end });
  const written = decoded.toString('latin1');
  const bytes = Buffer.from(written, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== written) return NOT_BASE64;
  return allowed({ value: bytes, isBase64: true, isLoose, start, end });
}

const NO_DIGIT = 16;
/** What a hexadecimal digit stands for. */
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[0-9A-Fa-f]/.test(character) ? Number.parseInt(character, 16) : NO_DIGIT;
});

/** Whether the value begins as an object or an array does; both are escaped in a form. */
const beginsJson = (body: Buffer, start: number, end: number): boolean =>
  /^%(?:7b|5b)$/i.test(body.toString('latin1', start, Math.min(start + 3, end)));

/** A copy of the form with another value in the field, in the form in which it came. */
export function writeForm(body: Buffer, { isBase64, start, end }: FormField, value: Buffer): Buffer {
  const text = isBase64 ? value.toString('base64') : value.toString('utf8');
  return Buffer.concat([body.subarray(0, start), Buffer.from(encodeURIComponent(text)), body.subarray(end)]);
}

/** Whether bytes begin as the JSON of an object or an array does, without white space before it. */
export const isJsonStart = (byte: number | undefined): boolean => byte === OPEN_OBJECT || byte === OPEN_ARRAY;
