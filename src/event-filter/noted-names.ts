/**
 * Takes down the names of the events that a filter judges, each once a body. Costs little where the names are known beforehand, and
 * judges nothing by itself.
 */
import { compileLookup, isWellFormed, UNKNOWN, type NameMatcher } from './names.ts';

/** Names of the events of one body. */
export interface JudgedNames {
  readonly allowed: readonly string[];
  readonly disallowed: readonly string[];
}

/** More names than these are not taken down of one body: somebody made them up. */
const MOST_NAMES = 512;

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
    if (names === null) return (bytes, start, close) => this.#note(bytes, start, close, true);
    const known = [...names];
    const find = compileLookup(known);
    /** The body in which a name was found last. */
    const lastIn = new Float64Array(known.length);
    return (bytes, start, close) => {
      const place = find(bytes, start, close);
      if (place === UNKNOWN) return this.#note(bytes, start, close, false);
      if (lastIn[place] !== this.#body) {
        lastIn[place] = this.#body;
        this.#allowed.push(known[place] as string);
      }
      return true;
    };
  }

  /** Of a name that is not known beforehand; whether it counts as allowed. */
  #note(bytes: Buffer, start: number, close: number, allowed: boolean): boolean {
    if (this.#found.size >= MOST_NAMES) return allowed;
    // With its quotes, a string of JSON that was read before.
    const name = textOf(bytes.toString('utf8', start - 1, close + 1));
    if (name === null || !isWellFormed(name)) return false;
    if (this.#found.has(name)) return allowed;
    this.#found.add(name);
    (allowed ? this.#allowed : this.#disallowed).push(name);
    return allowed;
  }
}

/** null: the body is no UTF-8, or no JSON, and will be refused for it. */
function textOf(json: string): string | null {
  try {
    return JSON.parse(json) as string;
  } catch {
    return null;
  }
}
