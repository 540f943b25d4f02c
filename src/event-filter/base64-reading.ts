/**
 * Decides whether a backend that decodes base64 leniently would find JSON, or gzip, where a body is JSON as it stands: such
 * readers pass over every byte that is no base64, braces and quotes among them. It looks at the beginning, and keeps nothing.
 */
import { byteClass, INVALID, skipValue } from './scan.ts';

/** What stands where in base64: the value of a byte, or OUTSIDE. */
type Alphabet = Uint8Array;

const OUTSIDE = 64;

const alphabetOf = (characters: string): Alphabet => {
  const values = new Uint8Array(256).fill(OUTSIDE);
  for (let value = 0; value < characters.length; value++) {
    // The characters for 62 and 63 differ between readers: each stands in the text as a pair or a triple.
    values[characters.charCodeAt(value)] = value < 64 ? value : 62 + ((value - 64) % 2);
  }
  return values;
};

const COMMON = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** RFC 4648 4, the same with its URL-safe form, and with the plus sign that a form turned into a space. */
const ALPHABETS: readonly Alphabet[] = [`${COMMON}+/`, `${COMMON}+/-_`, `${COMMON}+/ /`].map(alphabetOf);

/** JSON's white space, and the zeros between characters in UTF-16 and UTF-32, which some parsers recognise. */
const SPACE = byteClass((byte) => [0x20, 0x09, 0x0a, 0x0d, 0x00].includes(byte));
/** What may come before the value: that, and the bytes of a byte order mark. */
const BEFORE_VALUE = byteClass((byte) => SPACE[byte] === 1 || [0xef, 0xbb, 0xbf, 0xfe, 0xff].includes(byte));
/** What may follow the first brace, also in JSON with comments. */
const AFTER_BRACE = byteClass((byte) => '"}/'.includes(String.fromCharCode(byte)));
/** What may follow the first bracket. */
const AFTER_BRACKET = byteClass((byte) => '{["-0123456789tfn]/'.includes(String.fromCharCode(byte)));

const GZIP = 0x1f;
const GZIP_SECOND = 0x8b;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;

/** Text before the base64, as in `data:application/json;base64,` and `data=`. */
const PREFIXES = ['base64,', 'data='].map((text) => Buffer.from(text));

/** What is not clear after so many bytes is white space hidden in base64, or something as odd. */
const MOST_LOOKED_AT = 65_536;

/** Whether some lenient reader of base64 finds the beginning of JSON or gzip in the body, or may find it far behind. */
export function beginsAsBase64Json(body: Buffer): boolean {
  return someBeginning(body, NOWHERE, () => true);
}

/**
 * Whether some such reader finds a whole JSON value, or gzip, in a body that is none of it: a form, or compressed. `except`: where
 * the value of a form field stands that is judged itself.
 */
export function holdsBase64Json(body: Buffer, except: number): boolean {
  let looks = 0;
  return someBeginning(
    body,
    except,
    (start, alphabet) => looks++ === MOST_LOOKS || isJsonOrGzip(decodedFrom(body, start, alphabet)),
  );
}

/** A body with more places that only begin like JSON is made of them. */
const MOST_LOOKS = 4;

const NOWHERE = -1;

function someBeginning(
  body: Buffer,
  except: number,
  confirms: (start: number, alphabet: Alphabet) => boolean,
): boolean {
  const isFound = (start: number): boolean =>
    ALPHABETS.some((alphabet) => beginsAsJson(body, start, alphabet) && confirms(start, alphabet));
  if (isFound(0)) return true;
  return PREFIXES.some((prefix) => {
    // Readers differ in whether they take the first or the last. A prefix is itself no white space in base64, so that no look
    // goes further than to the next one.
    for (let at = body.indexOf(prefix); at !== -1; at = body.indexOf(prefix, at + prefix.length))
      if (at + prefix.length !== except && isFound(at + prefix.length)) return true;
    return false;
  });
}

/** All that a reader with this alphabet decodes, without the zeros of wider characters. */
function decodedFrom(body: Buffer, start: number, alphabet: Alphabet): Buffer {
  const decoded = Buffer.allocUnsafe(body.length - start);
  let bits = 0;
  let held = 0;
  let filled = 0;
  for (let at = start; at < body.length; at++) {
    const value = alphabet[body[at] as number] as number;
    if (value === OUTSIDE) continue;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    const byte = (held >> bits) & 0xff;
    if (byte !== 0) decoded[filled++] = byte;
  }
  return decoded.subarray(0, filled);
}

/** Whether text begins with a whole value, as readers find it that pass over what comes after; or gzip does. */
function isJsonOrGzip(text: Buffer): boolean {
  let at = 0;
  while (at < text.length && BEFORE_VALUE[text[at] as number] === 1) at++;
  return text[at] === GZIP || skipValue(text, at, 0) !== INVALID;
}

/** Decodes until it is clear how what comes out begins: mostly after two bytes. */
function beginsAsJson(body: Buffer, start: number, alphabet: Alphabet): boolean {
  let bits = 0;
  let held = 0;
  let opened = 0;
  const end = Math.min(body.length, start + MOST_LOOKED_AT);
  for (let at = start; at < end; at++) {
    const value = alphabet[body[at] as number] as number;
    if (value === OUTSIDE) continue;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    const byte = (held >> bits) & 0xff;
    if (opened === 0) {
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY || byte === GZIP) opened = byte;
      else if (BEFORE_VALUE[byte] === 0) return false;
    } else if (opened === GZIP) return byte === GZIP_SECOND;
    else if (SPACE[byte] === 0) return (opened === OPEN_OBJECT ? AFTER_BRACE : AFTER_BRACKET)[byte] === 1;
  }
  return end < body.length;
}
