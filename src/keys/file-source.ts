/**
 * The key file as a source of keys: read at start, at each change and on demand. A file that cannot be used, or is gone,
 * changes nothing: the last good keys go on serving, and it is tried again, since what kept it from being read may pass while the file
 * stays as it is. Writes nothing.
 */
import type { Environment } from '../config/document.ts';
import { formatProblem } from '../config/problem.ts';
import { watchFiles, type FileWatch, type WatchTiming } from '../config/watch.ts';
import { createCoalescer } from '../lib/coalescer.ts';
import { buildSnapshot, completed, type SnapshotBuilding } from './compile.ts';
import { NO_RECORDS, type KeyDefinition, type SharedRecords } from './definition.ts';
import { LARGE_AT_START, readKeyFile, type KeyFileReading } from './read-key-file.ts';
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

/** Until a file that cannot be used is read again: first as often as it is looked at, then ever more seldom. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

export function createFileSource({ file, env, apis, now, timing }: FileSourceOptions): KeySource {
  let listener: KeyListener | null = null;
  let watch: FileWatch | null = null;
  let version = 0;
  let starting = true;
  let retry: NodeJS.Timeout | null = null;
  let retryMs = timing?.pollMs ?? FIRST_RETRY_MS;
  /** What was wrong, where nobody but the clock asks for the next reading; '' else. */
  let told = '';
  let status: KeySourceStatus = {
    up: false,
    lastSyncAt: null,
    invalidDefinitions: 0,
    loaded: false,
    why: 'not read yet',
  };

  const take = ({ valid, records, errors, files }: KeyFileReading, building: SnapshotBuilding): void => {
    if (listener === null) return;
    watch?.setFiles(files);
    if (!valid) {
      status = { ...status, up: false, why: errors[0] ?? null };
      const found = errors.join('\n');
      tryAgain(found);
      if (found === told) return;
      for (const message of errors) listener.onProblem({ severity: 'error', message });
    } else {
      version += 1;
      retryMs = timing?.pollMs ?? FIRST_RETRY_MS;
      status = { up: true, lastSyncAt: now(), invalidDefinitions: 0, loaded: true, why: null };
      listener.onKeys({ ...building.done(version), records });
    }
    listener.onStatus?.(status);
  };

  const tryAgain = (found: string): void => {
    if (retry !== null) clearTimeout(retry);
    retry = setTimeout(() => {
      told = found;
      void reading.request();
    }, retryMs).unref();
    retryMs = Math.min(2 * retryMs, Math.max(LAST_RETRY_MS, retryMs));
  };

  const readOnce = async (): Promise<void> => {
    let records = NO_RECORDS;
    let building = buildSnapshot(records);
    const begin = (next: SharedRecords): void => {
      records = next;
      building = buildSnapshot(records);
    };
    const keys = (part: readonly KeyDefinition[]): void => {
      for (const definition of part) building.add(completed({ id: definition.id, definition }, records));
    };
    const question = { file, env, apis: apis?.() ?? null };
    const large = starting ? LARGE_AT_START : undefined;
    starting = false;
    const reading = await readKeyFile(question, closing.signal, { begin, keys }, large).catch(unread);
    take(reading, building);
  };

  const unread = (error: Error): KeyFileReading => {
    const message = `The file could not be read: ${error.message}.`;
    const problem = formatProblem({ file, line: 1, column: 1, severity: 'error', field: '', message });
    return { valid: false, records: NO_RECORDS, errors: [problem], files: [file] };
  };
  const closing = new AbortController();
  /** A write over the admin API waits for this, so the rest is no longer than the reading was. */
  const reading = createCoalescer(readOnce, { restMs: 0, restPerRun: 1 });
  const read = (): Promise<void> => {
    told = '';
    if (retry !== null) clearTimeout(retry);
    return reading.request();
  };
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
      if (retry !== null) clearTimeout(retry);
      reading.close();
      closing.abort();
    },
  };
}
