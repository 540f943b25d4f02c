/**
 * Takes down the names of the events that a filter judges, each once a body. Costs little where the names are known beforehand, and
 * judges nothing by itself.
 */
import { plainText } from './characters.ts';
import { compileLookup, isWellFormed, UNKNOWN, type NameLookup, type NameMatcher } from './names.ts';

/** Names of the events of one body. */
export interface JudgedNames {
  readonly allowed: readonly string[];
  readonly disallowed: readonly string[];
}

/** More names than these are not taken down of one body: somebody made them up. */
const MOST_NAMES = 512;
/** In code units. A longer name is not kept from one body to the next: hundreds of them would fill the memory. */
const LONGEST_LEARNT = 512;

/** One record serves many bodies: filters are synchronous. */
export class NotedNames {
  #allowed: string[] = [];
  #disallowed: string[] = [];
  readonly #found = new Set<string>();
  #body = 0;

  /** To be called before a body is filtered. */
  begin(): void {
    this.#allowed = [];
    this.#disallowed = [];
    this.#found.clear();
    this.#body++;
  }

  /** The names of the body that was filtered last. */
  take(): JudgedNames {
    return { allowed: this.#allowed, disallowed: this.#disallowed };
  }

  /** A matcher of these names that takes down what it is asked for; null: every name is one of them, if it is a text at all. */
  watch(names: ReadonlySet<string> | null): NameMatcher {
    const known = new KnownNames(names === null ? [] : [...names]);
    const all = names === null;
    return (bytes, start, close) => {
      const name = known.find(bytes, start, close, this.#body);
      if (name === null) return this.#note(bytes, start, close, all ? known : null);
      if (name !== '') this.#allowed.push(name);
      return true;
    };
  }

  /** Of a name that is not known yet: `learn` takes it, where every name is allowed; null: it is not. Whether it is allowed. */
  #note(bytes: Buffer, start: number, close: number, learn: KnownNames | null): boolean {
    if (this.#found.size >= MOST_NAMES) return learn !== null;
    const name = plainText(bytes, start, close) ?? wellFormedText(bytes, start, close);
    if (name === null) return false;
    if (this.#found.has(name)) return learn !== null;
    this.#found.add(name);
    learn?.learn(name, this.#body);
    (learn === null ? this.#disallowed : this.#allowed).push(name);
    return learn !== null;
  }
}

/** Names that are found without making a text of them. */
class KnownNames {
  readonly #names: string[];
  #find: NameLookup;
  /** By place: the body in which a name was found last. */
  #lastIn: Float64Array;
  /** The body in which a name was learnt last. */
  #learntIn = 0;

  constructor(names: string[]) {
    this.#names = names;
    this.#find = compileLookup(names);
    this.#lastIn = new Float64Array(names.length);
  }

  /** The name; '' when it was found in this body before; null: it is not known. */
  find(bytes: Buffer, start: number, close: number, body: number): string | null {
    if (this.#names.length > this.#lastIn.length && this.#learntIn !== body) this.#makeReady();
    const place = this.#find(bytes, start, close);
    if (place === UNKNOWN) return null;
    if (this.#lastIn[place] === body) return '';
    this.#lastIn[place] = body;
    return this.#names[place] as string;
  }

  /** From the next body on the name is known, unless it is too long. */
  learn(name: string, body: number): void {
    if (name === '' || name.length > LONGEST_LEARNT || this.#names.length >= MOST_NAMES) return;
    this.#names.push(name);
    this.#learntIn = body;
  }

  #makeReady(): void {
    this.#find = compileLookup(this.#names);
    this.#lastIn = new Float64Array(this.#names.length);
  }
}

/** null: no two parsers need agree on it; or the body is no UTF-8, or no JSON, and will be refused for it. */
function wellFormedText(bytes: Buffer, start: number, close: number): string | null {
  try {
    // With its quotes, a string of JSON that was read before.
    const text = JSON.parse(bytes.toString('utf8', start - 1, close + 1)) as string;
    return isWellFormed(text) ? text : null;
  } catch {
    return null;
  }
}
