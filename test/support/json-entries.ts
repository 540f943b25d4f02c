/**
 * Reads valid JSON into a tree that keeps what values throw away: repeated members, their order, and byte positions.
 * Written apart from the code under test, by recursive descent over characters, to be compared with it.
 */

export type Tree =
  | { readonly kind: 'object'; readonly entries: readonly Entry[] }
  | {
      readonly kind: 'array';
      readonly items: readonly Tree[];
      /** Start and end of what stands between the brackets and commas, one for each item. */
      readonly segments: readonly (readonly [number, number])[];
    }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'other' };

export interface Entry {
  readonly name: string;
  readonly value: Tree;
}

/** The tree of a body that is known to be valid JSON in UTF-8, nested a few hundred levels at most. */
export function readTree(body: Buffer): Tree {
  const text = body.toString('latin1');
  let at = 0;
  const space = (): void => {
    while (' \t\n\r'.includes(text[at] ?? 'x')) at++;
  };
  const string = (): string => {
    const start = at++;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at++;
    return JSON.parse(body.toString('utf8', start, at)) as string;
  };
  const object = (): Tree => {
    const entries: Entry[] = [];
    at++;
    space();
    while (text[at] !== '}') {
      if (text[at] === ',') at++;
      space();
      const name = string();
      space();
      at++;
      const value = read();
      entries.push({ name, value });
      space();
    }
    at++;
    return { kind: 'object', entries };
  };
  const array = (): Tree => {
    const items: Tree[] = [];
    const segments: [number, number][] = [];
    let start = ++at;
    space();
    while (text[at] !== ']') {
      if (text[at] === ',') start = ++at;
      items.push(read());
      space();
      segments.push([start, at]);
    }
    at++;
    return { kind: 'array', items, segments };
  };
  const read = (): Tree => {
    space();
    if (text[at] === '{') return object();
    if (text[at] === '[') return array();
    if (text[at] === '"') return { kind: 'string', text: string() };
    while (at < text.length && !' \t\n\r,]}'.includes(text.charAt(at))) at++;
    return { kind: 'other' };
  };
  return read();
}
