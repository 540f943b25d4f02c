/**
 * Reads the field lines of an answer, of its header section or its trailers. Each line has one reading (RFC 9112 5), or the
 * whole section has none: no folded line, no space before a colon, no control byte, no line that ends with anything but CRLF.
 */
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const DELETE = 0x7f;

/** By code: what may stand in a name (RFC 9110 5.6.2). */
const IN_NAME = tableOf((code) => /[!#$%&'*+.^_`|~\dA-Za-z-]/.test(String.fromCharCode(code)));
/** By code: what may stand in a value, white space included (RFC 9110 5.5). */
const IN_VALUE = tableOf((code) => code === TAB || (code >= SPACE && code !== DELETE));

/** Of a section; Node's own client passes over further ones in silence. The work for each must not be a backend's to choose. */
const MAX_FIELDS = 2_000;

function tableOf(has: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (has(code) ? 1 : 0));
}

/** The place of the first byte from `at` on that no value may have. */
function endOfValue(text: string, at: number): number {
  let end = at;
  while (IN_VALUE[text.charCodeAt(end)] === 1) end += 1;
  return end;
}

/** Whether a line ends at this place. */
const isLineEnd = (text: string, at: number): boolean => text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF;

/**
 * Adds the names and values of a section to `fields`, by turns, without the white space around values. `text` is latin1, its
 * lines begin at `start`, and it ends with the empty line. Answers with what is wrong, or null.
 */
export function readFields(text: string, start: number, fields: string[]): string | null {
  const last = text.length - 2;
  let at = start;
  while (at < last) {
    let colon = at;
    while (IN_NAME[text.charCodeAt(colon)] === 1) colon += 1;
    if (fields.length === 2 * MAX_FIELDS) return `more than ${MAX_FIELDS} fields`;
    if (colon === at || text.charCodeAt(colon) !== COLON) return 'bad field name';
    let from = colon + 1;
    while (isSpace(text.charCodeAt(from))) from += 1;
    const end = endOfValue(text, from);
    if (!isLineEnd(text, end)) return 'bad field value';
    let to = end;
    while (to > from && isSpace(text.charCodeAt(to - 1))) to -= 1;
    fields.push(text.slice(at, colon), text.slice(from, to));
    at = end + 2;
  }
  return at === last && isLineEnd(text, at) ? null : 'no end of the field section';
}

const isSpace = (code: number): boolean => code === SPACE || code === TAB;
