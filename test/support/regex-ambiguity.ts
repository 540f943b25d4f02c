/**
 * Tells whether a regular expression can take more than linear time: whether there is a text, repeated at will, that two of its
 * repetitions can share out in many ways while what follows them may fail. Trying every place of a text counts as a repetition.
 */
import { readRegex, type RegexTree } from './regex-tree.ts';

/** A character set of the expression, in its place. */
interface Position {
  readonly source: string;
  /** Which of `SAMPLES` it takes. */
  readonly takes: ReadonlySet<number>;
  readonly follow: Set<number>;
  /** A match may end here, whatever follows: nothing is tried anew after that. */
  ends: boolean;
}

const SAMPLES = [
  ...Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)),
  '\u0130',
  '\u0301',
  '\u0660',
  '\u2028',
  '\u3000',
  '\u9801',
  '\ufeff',
  '\ufffd',
];

/** More repetitions than this count as any number. */
const FEW = 300;

/** The parts of the expression that share out a text, or null: its time is linear. */
export function ambiguityOf({ source, flags }: RegExp): string | null {
  const machine = new Machine(flags.replace(/[gymd]/g, ''));
  const tree = readRegex(source);
  const isAnchored = flags.includes('y') || startsAnchored(tree);
  const search = isAnchored ? null : machine.position('[^]');
  const whole = machine.build(tree, search === null);
  for (const last of whole.endsAt) machine.at(last).ends = true;
  if (search !== null) for (const next of [search, ...whole.first]) machine.at(search).follow.add(next);
  return machine.doubled ?? machine.shared();
}

/** Whether each match begins where the text begins. */
function startsAnchored(tree: RegexTree): boolean {
  switch (tree.kind) {
    case 'gate':
      return tree.start;
    case 'sequence':
      return tree.parts[0] !== undefined && startsAnchored(tree.parts[0]);
    case 'choice':
      return tree.options.every(startsAnchored);
    default:
      return false;
  }
}

interface Built {
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** Those of `last` after which the part has matched, whatever comes. */
  readonly endsAt: readonly number[];
  /** May take no character. */
  readonly empty: boolean;
  /** May take no character, whatever comes. */
  readonly free: boolean;
  /** Can match nowhere: it asks for the beginning of the text, and an expression that is tried everywhere is past that. */
  readonly dead: boolean;
}

const NOTHING: Built = { first: [], last: [], endsAt: [], empty: true, free: true, dead: false };

class Machine {
  readonly #positions: Position[] = [];
  readonly #setFlags: string;
  /** A repetition of what repeats itself already. */
  doubled: string | null = null;

  constructor(setFlags: string) {
    this.#setFlags = setFlags;
  }

  at(index: number): Position {
    return this.#positions[index] as Position;
  }

  position(source: string): number {
    const set = new RegExp(`^(?:${source})$`, this.#setFlags);
    const takes = new Set(SAMPLES.flatMap((sample, i) => (set.test(sample) ? [i] : [])));
    return this.#positions.push({ source, takes, follow: new Set(), ends: false }) - 1;
  }

  build(tree: RegexTree, atStart: boolean): Built {
    switch (tree.kind) {
      case 'set': {
        const only = [this.position(tree.source)];
        return { first: only, last: only, endsAt: only, empty: false, free: false, dead: false };
      }
      case 'gate':
        return { ...NOTHING, free: false, dead: tree.start && !atStart };
      case 'sequence':
        return tree.parts.map((part) => this.build(part, atStart)).reduce((a, b) => this.#join(a, b), NOTHING);
      case 'choice':
        return either(tree.options.map((option) => this.build(option, atStart)).filter(({ dead }) => !dead));
      case 'repeat':
        return this.#repeat(tree, atStart);
    }
  }

  #join(a: Built, b: Built): Built {
    if (a.dead || b.dead) return { ...NOTHING, dead: true };
    for (const from of a.last) for (const to of b.first) this.at(from).follow.add(to);
    return {
      first: a.empty ? [...a.first, ...b.first] : a.first,
      last: b.empty ? [...a.last, ...b.last] : b.last,
      endsAt: b.free ? [...a.endsAt, ...b.endsAt] : b.endsAt,
      empty: a.empty && b.empty,
      free: a.free && b.free,
      dead: false,
    };
  }

  #repeat({ part, min, max }: RegexTree & { kind: 'repeat' }, atStart: boolean): Built {
    const inner = this.build(part, atStart);
    if (max > FEW)
      for (const from of inner.last)
        for (const to of inner.first) {
          if (this.at(from).follow.has(to)) this.doubled ??= `${this.at(from).source} in a repetition of a repetition`;
          this.at(from).follow.add(to);
        }
    return min > 0 ? inner : { ...inner, empty: true, free: true, dead: false };
  }

  /** Two positions p and q such that some text leads from p to p, from p to q, and from q to q before a match could end. */
  shared(): string | null {
    for (let p = 0; p < this.#positions.length; p++)
      for (let q = 0; q < this.#positions.length; q++)
        if (p !== q && this.#shareText(p, q)) return `${this.at(p).source} and ${this.at(q).source}`;
    return null;
  }

  #shareText(p: number, q: number): boolean {
    if (this.at(q).ends || !this.#overlap(p, p, q)) return false;
    const size = this.#positions.length;
    const seen = new Set<number>();
    const waiting: [number, number, number][] = [[p, p, q]];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [a, b, c] = next;
      for (const x of this.at(a).follow)
        for (const y of this.at(b).follow)
          for (const z of this.at(c).follow) {
            if (this.at(z).ends || !this.#overlap(x, y, z)) continue;
            if (x === p && y === q && z === q) return true;
            const id = (x * size + y) * size + z;
            if (seen.has(id)) continue;
            seen.add(id);
            waiting.push([x, y, z]);
          }
    }
    return false;
  }

  /** Whether one character is taken in all three positions. */
  #overlap(a: number, b: number, c: number): boolean {
    for (const sample of this.at(a).takes)
      if (this.at(b).takes.has(sample) && this.at(c).takes.has(sample)) return true;
    return false;
  }
}

function either(options: readonly Built[]): Built {
  return {
    first: options.flatMap(({ first }) => first),
    last: options.flatMap(({ last }) => last),
    endsAt: options.flatMap(({ endsAt }) => endsAt),
    empty: options.some(({ empty }) => empty),
    free: options.some(({ free }) => free),
    dead: options.length === 0,
  };
}
