/**
 * The key file as a source of keys: read at start, at each change and on demand. A file that cannot be used, or is gone,
 * changes nothing: the last good keys go on serving. Writes nothing.
 */
import type { Environment } from '../config/document.ts';
import { formatProblem } from '../config/problem.ts';
import { watchFiles, type FileWatch, type WatchTiming } from '../config/watch.ts';
import { createCoalescer } from '../lib/coalescer.ts';
import { collectGarbage } from '../lib/garbage.ts';
import { compileKeys } from './compile.ts';
import { NO_RECORDS } from './definition.ts';
import { readKeyFile, type KeyFileReading } from './read-key-file.ts';
import type { KeyListener, KeySource, KeySourceStatus } from './source.ts';

export interface FileSourceOptions {
  readonly file: string;
  readonly env: Environment;
  /** The names of the configured APIs. */
  readonly apis?: () => readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timing?: WatchTiming;
}

/** So many keys leave so much behind when they are compiled that every request would pay for it: better one short pause. */
const COLLECT_FROM = 5000;

export function createFileSource({ file, env, apis, now, timing }: FileSourceOptions): KeySource {
  let listener: KeyListener | null = null;
  let watch: FileWatch | null = null;
  let version = 0;
  let status: KeySourceStatus = {
    up: false,
    lastSyncAt: null,
    invalidDefinitions: 0,
    loaded: false,
    why: 'not read yet',
  };

  const take = ({ definitions, records, errors, files }: KeyFileReading): void => {
    if (listener === null) return;
    watch?.setFiles(files);
    if (definitions === null) {
      status = { ...status, up: false, why: errors[0] ?? null };
      for (const message of errors) listener.onProblem({ severity: 'error', message });
    } else {
      version += 1;
      status = { up: true, lastSyncAt: now(), invalidDefinitions: 0, loaded: true, why: null };
      listener.onKeys(
        compileKeys(
          definitions.map((definition) => ({ id: definition.id, definition })),
          version,
          records,
        ),
      );
    }
    listener.onStatus?.(status);
    // Later: what was read is held until this function has returned.
    if (definitions !== null && definitions.length >= COLLECT_FROM) setImmediate(collectGarbage);
  };

  const failed = (error: Error): void => {
    const message = `The file could not be read: ${error.message}.`;
    const problem = formatProblem({ file, line: 1, column: 1, severity: 'error', field: '', message });
    take({ definitions: null, records: NO_RECORDS, errors: [problem], files: [file] });
  };
  const closing = new AbortController();
  /** A write over the admin API waits for this, so the rest is no longer than the reading was. */
  const reading = createCoalescer(
    () => readKeyFile({ file, env, apis: apis?.() ?? null }, closing.signal).then(take, failed),
    {
      restMs: 0,
      restPerRun: 1,
    },
  );
  const read = reading.request;
  const onChange = (): void => void read();

  return {
    kind: 'file',
    start: async (newListener) => {
      listener = newListener;
      // Watching comes first: a change between the two is then seen rather than missed.
      watch = watchFiles([file], onChange, timing);
      await read();
    },
    reload: async () => {
      if (listener === null) return;
      // A new watch knows the file as it is now: what is read here is not read again because the old one noticed it as well.
      watch?.close();
      watch = watchFiles([file], onChange, timing);
      await read();
    },
    status: () => status,
    close: async () => {
      watch?.close();
      watch = null;
      listener = null;
      reading.close();
      closing.abort();
    },
  };
}
