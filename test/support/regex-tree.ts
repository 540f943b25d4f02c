/**
 * Reads a regular expression into a tree, as far as the question goes in how many ways a text can be matched. It knows the syntax
 * that is used here, and throws at what it does not know.
 */

export type RegexTree =
  /** One character out of a set, which `source` writes. */
  | { readonly kind: 'set'; readonly source: string }
  /** Takes no character: an anchor, a boundary, a look around. `start`: the beginning of the text. */
  | { readonly kind: 'gate'; readonly start: boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly RegexTree[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexTree[] }
  | { readonly kind: 'repeat'; readonly part: RegexTree; readonly min: number; readonly max: number };

export function readRegex(pattern: string): RegexTree {
  let at = 0;

  const choice = (): RegexTree => {
    const options = [sequence()];
    while (pattern[at] === '|') {
      at++;
      options.push(sequence());
    }
    return options.length === 1 ? (options[0] as RegexTree) : { kind: 'choice', options };
  };

  const sequence = (): RegexTree => {
    const parts: RegexTree[] = [];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') parts.push(repeated(atom()));
    return { kind: 'sequence', parts };
  };

  const repeated = (part: RegexTree): RegexTree => {
    const [written, mark, from, comma, to] = /^(?:([*+?])|\{(\d+)(,)?(\d+)?\})\??/.exec(pattern.slice(at)) ?? [];
    if (written === undefined) return part;
    at += written.length;
    if (mark !== undefined)
      return { kind: 'repeat', part, min: mark === '+' ? 1 : 0, max: mark === '?' ? 1 : Infinity };
    const min = Number(from);
    return { kind: 'repeat', part, min, max: comma === undefined ? min : to === undefined ? Infinity : Number(to) };
  };

  const atom = (): RegexTree => {
    const rest = pattern.slice(at);
    const group = /^\((?:\?(?::|<[A-Za-z]+>|(<?[=!])))?/.exec(rest);
    if (group !== null) {
      at += group[0].length;
      const inner = choice();
      at++;
      return group[1] === undefined ? inner : { kind: 'gate', start: false };
    }
    const gate = /^(?:\^|\$|\\[bB])/.exec(rest)?.[0];
    if (gate !== undefined) {
      at += gate.length;
      return { kind: 'gate', start: gate === '^' };
    }
    const set =
      /^(?:\[(?:[^\]\\]|\\[^])*\]|\\(?:u\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[pP]\{[^}]*\}|[^])|[^])/.exec(
        rest,
      )?.[0];
    if (set === undefined) throw new Error(`nothing to read at ${at} of ${pattern}`);
    at += set.length;
    // What a group matched before can be anything, as far as can be told here.
    return { kind: 'set', source: /^\\[1-9]/.test(set) ? '[^]' : set };
  };

  const tree = choice();
  if (at !== pattern.length) throw new Error(`${pattern} cannot be read from ${at} on`);
  return tree;
}
