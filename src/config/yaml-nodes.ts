/**
 * How YAML text is parsed, wherever it is, and how a path leads through the nodes of it: aliases, anchors and merge keys
 * included. Knows no field of any file.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, visit } from 'yaml';
import type { Document, DocumentOptions, Pair, ParseOptions, SchemaOptions, YAMLMap } from 'yaml';

/** Types of YAML 1.1 alone. A time is text here, as it is in 1.2. */
const OTHER_TYPES: ReadonlySet<string> = new Set(
  ['timestamp', 'binary', 'omap', 'pairs', 'set'].map((type) => `tag:yaml.org,2002:${type}`),
);

/**
 * A file may say by `%YAML 1.1` that it is the older YAML, in which `yes` is a boolean and `010` is eight; without that it is YAML
 * 1.2. Either way there are only texts, numbers, booleans, null, lists and mappings.
 */
export const YAML_OPTIONS = {
  merge: true,
  logLevel: 'error',
  // Otherwise such a tag would make a Map or a Buffer, which a schema may take for an empty mapping.
  resolveKnownTags: false,
  customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !OTHER_TYPES.has(tag.tag)),
} as const satisfies ParseOptions & DocumentOptions & SchemaOptions;

/** Follows a path as far as it goes; a field that is not there is reported at what should hold it. */
export function findNode(document: Document, path: readonly PropertyKey[], what: 'key' | 'value'): unknown {
  let node: unknown = document.contents;
  for (const [index, step] of path.entries()) {
    const holder = isAlias(node) ? node.resolve(document) : node;
    const last = index === path.length - 1;
    let next: unknown;
    if (isSeq(holder)) next = holder.items[Number(step)];
    else if (isMap(holder)) {
      const pair = findPair(document, holder, String(step));
      next = last && what === 'key' ? pair?.key : (pair?.value ?? pair?.key);
    }
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

/** A field of a mapping, or of one that is merged into it by `<<`. */
function findPair(document: Document, map: YAMLMap, name: string): Pair | undefined {
  const own = map.items.find((pair) => keyText(pair.key) === name);
  if (own !== undefined) return own;
  for (const pair of map.items.filter(({ key }) => keyText(key) === '<<')) {
    for (const source of isSeq(pair.value) ? pair.value.items : [pair.value]) {
      const merged = isAlias(source) ? source.resolve(document) : source;
      const found = isMap(merged) ? findPair(document, merged, name) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The path of a node from the chain of nodes that leads to it. */
export function pathOf(chain: readonly unknown[]): PropertyKey[] {
  const path: PropertyKey[] = [];
  chain.forEach((node, index) => {
    const next = chain[index + 1];
    if (isSeq(node)) path.push(node.items.indexOf(next));
    else if (isPair(node)) path.push(keyText(node.key));
  });
  return path;
}

/** Where aliases stand that name no anchor before them; the library only finds out when it makes the plain value. */
export function unknownAliases(document: Document): number[] {
  const offsets: number[] = [];
  visit(document, {
    Alias(_, node) {
      if (node.resolve(document) === undefined) offsets.push(node.range?.[0] ?? 0);
    },
  });
  return offsets;
}

/** The plain value; aliases are bounded by the library, so that a small file cannot unfold into a huge one. */
export function toPlain(document: Document): { value: unknown } | null {
  try {
    return { value: document.toJS() };
  } catch {
    return null;
  }
}

/** The library reads a merge key as a symbol of that name. */
function keyText(key: unknown): string {
  const name = isScalar(key) ? key.value : key;
  return typeof name === 'symbol' ? (name.description ?? '') : String(name);
}
