/**
 * Looks up event names as they stand in a body, without making strings of them.
 * Names compare by exact code points after unescaping; nothing is folded, trimmed or normalised.
 */

/** Whether the string between `start` and the closing quote at `close` is one of the names. */
export type NameMatcher = (bytes: Buffer, start: number, close: number) => boolean;

const BACKSLASH = 0x5c;

/** A name with an unpaired surrogate can match nothing: no two parsers agree on what it is. */
export function compileNames(names: ReadonlySet<string>): NameMatcher {
  const known = new Set([...names].filter((name) => !/\p{Cs}/u.test(name)));
  const table = hashTable([...known].map((name) => Buffer.from(name)));
  const mask = table.length - 1;

  return (bytes, start, close) => {
    let hash = 0;
    for (let at = start; at < close; at++) {
      const byte = bytes[at] as number;
      if (byte === BACKSLASH) return known.has(JSON.parse(bytes.toString('utf8', start - 1, close + 1)) as string);
      hash = step(hash, byte);
    }
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const name = table[slot];
      if (name === undefined) return false;
      if (name.length === close - start && equals(bytes, start, name)) return true;
    }
  };
}

/** Open addressing, at most half full. The names come from the configuration, so nobody can aim for collisions. */
function hashTable(names: readonly Buffer[]): (Buffer | undefined)[] {
  const size = 2 ** Math.ceil(Math.log2(2 * names.length + 2));
  const table: (Buffer | undefined)[] = Array.from({ length: size }, () => undefined);
  for (const name of names) {
    let slot = name.reduce(step, 0) & (size - 1);
    while (table[slot] !== undefined) slot = (slot + 1) & (size - 1);
    table[slot] = name;
  }
  return table;
}

function step(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

function equals(bytes: Buffer, start: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}
