/**
 * Takes a changed configuration into the running process, whole or not at all: an invalid one changes nothing and is
 * reported. What cannot change while the process runs is named, never silently ignored.
 */
import type { LoadedConfig } from './config/load.ts';
import { formatProblem } from './config/problem.ts';
import { readConfig } from './config/read-config.ts';
import { restartOnlyChanges, withBootSettings } from './config/restart-only.ts';
import type { Config } from './config/schema.ts';
import { filesOfTls, tlsPlaces } from './config/tls-files.ts';
import { watchFiles } from './config/watch.ts';
import { unknownListsOfFile } from './keys/list-problems.ts';
import type { KeySource } from './keys/source.ts';
import { createCoalescer } from './lib/coalescer.ts';
import type { Log } from './observability/log.ts';

export interface ReloadPorts {
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Throws, and changes nothing, when the configuration cannot be put to use. */
  readonly apply: (config: Config) => void;
  /** Reads the certificates of what runs again: they must not expire because a line of the configuration is wrong. */
  readonly renew: () => void;
  readonly now: () => number;
}

export interface Reloader {
  /** Reads the configuration again. Never rejects. Resolves to the files whose changes matter from now on; null: the same as before. */
  readonly reload: () => Promise<readonly string[] | null>;
  /** Puts nothing to use any more: what is opened now would not be closed again. */
  readonly stop: () => void;
  readonly status: () => { readonly lastReloadSuccessful: boolean; readonly lastLoaded: number };
}

/** `initial` is the configuration that the process was started with, whose boot settings hold to its end. */
export function createReloader(initial: Config, { file, env, log, apply, renew, now }: ReloadPorts): Reloader {
  let running = initial;
  let successful = true;
  const stopping = new AbortController();
  const { signal } = stopping;
  let lastLoaded = now();

  const failed = (error?: Error): void => {
    successful = false;
    log.error('config_reload_failed', { ...(error && { error }), detail: 'the running configuration stays' });
  };

  async function reload(): Promise<readonly string[] | null> {
    try {
      const loaded = await readConfig({ file, env });
      const unknown = await unknownListsOfFile(loaded.namedLists, { ...initial.keys, env, signal });
      if (signal.aborted) return null;
      if (unknown.length === 0 || loaded.besidesTls === null) return take(loaded);
      // When the key file has the lists, this configuration is right.
      const files = [...loaded.files, initial.keys.file];
      return take({ besidesTls: null, problems: [...loaded.problems, ...unknown], files });
    } catch (error) {
      if (signal.aborted) return null;
      failed(error as Error);
      return null;
    }
  }

  function take({
    besidesTls: config,
    problems,
    files,
  }: Pick<LoadedConfig, 'besidesTls' | 'problems' | 'files'>): readonly string[] {
    for (const problem of problems)
      log[problem.severity === 'error' ? 'error' : 'warn']('config_problem', { detail: formatProblem(problem) });
    if (config === null) {
      failed();
      return stay(files);
    }
    const ignored = restartOnlyChanges(running, config);
    if (ignored.length > 0)
      log.warn('config_needs_restart', {
        fields: ignored,
        detail: 'these fields changed and take effect at the next start',
      });
    const next = withBootSettings(running, config);
    try {
      apply(next);
    } catch (error) {
      failed(error as Error);
      return stay(files);
    }
    running = next;
    successful = true;
    lastLoaded = now();
    log.info('config_reloaded', { file });
    return watched(files);
  }

  function stay(files: readonly string[]): readonly string[] {
    try {
      renew();
    } catch (error) {
      failed(error as Error);
    }
    return watched(files);
  }
  /** Certificates in use are renewed, also where the configuration does not name them any more, or cannot be read. */
  const watched = (files: readonly string[]): readonly string[] => [
    ...new Set([...files, ...tlsPlaces(running).flatMap(filesOfTls)]),
  ];

  const stop = (): void => stopping.abort();
  return { reload, stop, status: () => ({ lastReloadSuccessful: successful, lastLoaded }) };
}

/**
 * The status that all files together have: a reload that left the keys or the certificates for a backend as they were, because a
 * file is broken, did not succeed. The certificates of the two ports have a metric of their own. `source` null: where the keys are
 * told of apart.
 */
export function statusOfFiles(
  reloader: Pick<Reloader, 'status'>,
  source: Pick<KeySource, 'kind' | 'status'> | null,
  certificates: { readonly backendsAreCurrent: () => boolean },
): Reloader['status'] {
  return () => {
    const status = reloader.status();
    const keysRead = source?.kind !== 'file' || source.status().up;
    return {
      ...status,
      lastReloadSuccessful: status.lastReloadSuccessful && keysRead && certificates.backendsAreCurrent(),
    };
  };
}

export interface ChangePorts {
  /** Whose changes matter at first. */
  readonly files: readonly string[];
  readonly reloader: Pick<Reloader, 'reload' | 'stop'>;
  readonly reloadKeys: () => Promise<void>;
}

export interface FollowedChanges {
  /** Reads the configuration and the keys again. However often it is asked for, it is done no faster than it can be. */
  readonly reloadAll: () => Promise<void>;
  readonly close: () => void;
}

/** Reads the configuration again when one of its files changes, and everything on demand. */
export function followChanges({ files, reloader, reloadKeys }: ChangePorts): FollowedChanges {
  let closed = false;
  const config = createCoalescer(async () => {
    const next = await reloader.reload();
    if (next !== null && !closed) watching.setFiles(next);
  });
  const all = createCoalescer(async () => {
    await config.request();
    await reloadKeys();
  });
  const watching = watchFiles(files, () => void config.request());
  return {
    reloadAll: all.request,
    close() {
      closed = true;
      reloader.stop();
      watching.close();
      config.close();
      all.close();
    },
  };
}
