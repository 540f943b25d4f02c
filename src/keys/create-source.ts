/**
 * Chooses where keys come from, as the configuration says.
 */
import type { Config } from '../config/schema.ts';
import { createFileSource } from './file-source.ts';
import type { KeySource } from './source.ts';

export interface SourceDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The configured key source, not started. */
export function createKeySource(config: Config, deps: SourceDeps): KeySource {
  return createFileSource({ file: config.keys.file, ...deps });
}
