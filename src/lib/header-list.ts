/**
 * Reads header lists as Node gives and takes them: names and values by turns, in the sender's order and spelling. Names to look
 * for are in lower case. Code that reads many fields in one pass, once for each request, has loops of its own. Judges no field.
 */

export function hasField(headers: readonly string[], name: string): boolean {
  for (let i = 0; i < headers.length; i += 2) if (isNamed(headers[i] as string, name)) return true;
  return false;
}

/** Every value of a field, in order: Node's own `headers` would keep the first of several, and another reader the last. */
export function fieldValues(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2)
    if (isNamed(headers[i] as string, name)) values.push(headers[i + 1] as string);
  return values;
}

/** The list without a field; the very list when it has none. */
export function withoutField<L extends readonly string[]>(headers: L, name: string): L | string[] {
  return hasField(headers, name) ? headers.filter((_, i) => !isNamed(headers[i - (i % 2)] as string, name)) : headers;
}

/** Most names differ in length, which costs less to see. */
const isNamed = (field: string, name: string): boolean => field.length === name.length && field.toLowerCase() === name;

/**
 * The name as a CGI, WSGI or PHP backend would read it: one letter case, and one character for all that is neither letter nor
 * digit. Two names that fold to one are one name to such a backend, which reads fields as environment variables.
 */
export function foldFieldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

/**
 * A value without the optional white space around it (RFC 9110 5.6.3), which is spaces and tabs. `trim` would also take what no
 * HTTP parser takes for a space, and a pattern for the end would be tried at every space before it.
 */
export function trimOptionalSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOptionalSpace(text.charCodeAt(start))) start++;
  while (end > start && isOptionalSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isOptionalSpace = (code: number): boolean => code === 0x20 || code === 0x09;
