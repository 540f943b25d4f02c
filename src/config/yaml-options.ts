/**
 * How YAML text is parsed, wherever it is. A file may say by `%YAML 1.1` that it is the older YAML, in which `yes` is a boolean and
 * `010` is eight; without that it is YAML 1.2. Either way there are only texts, numbers, booleans, null, lists and mappings.
 */
import type { DocumentOptions, ParseOptions, SchemaOptions } from 'yaml';

/** Types of YAML 1.1 alone. A time is text here, as it is in 1.2. */
const OTHER_TYPES: ReadonlySet<string> = new Set(
  ['timestamp', 'binary', 'omap', 'pairs', 'set'].map((type) => `tag:yaml.org,2002:${type}`),
);

export const YAML_OPTIONS = {
  merge: true,
  logLevel: 'error',
  customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !OTHER_TYPES.has(tag.tag)),
} as const satisfies ParseOptions & DocumentOptions & SchemaOptions;
