/**
 * Where keys come from: what a key file and Redis have in common. A source reports the whole set at each change and keeps
 * the last good one when a reading fails; it decides nothing about requests.
 */
import type { KeySnapshot } from './key.ts';

export interface KeySource {
  readonly kind: 'file' | 'redis';
  /** Begins to watch. Resolves once the first reading was tried; `status().loaded` tells whether it gave keys. */
  start(listener: KeyListener): Promise<void>;
  /** Reads everything again, as on SIGHUP. Resolves when that is done, whatever came of it. */
  reload(): Promise<void>;
  status(): KeySourceStatus;
  /** Stops watching; the listener hears nothing afterwards. */
  close(): Promise<void>;
}

export interface KeyListener {
  /** A new set is complete and should be used from now on. */
  onKeys(snapshot: KeySnapshot): void;
  onStatus?(status: KeySourceStatus): void;
  /** Something for the operator's log; the keys in use do not change by it. */
  onProblem(problem: KeySourceProblem): void;
}

export interface KeySourceProblem {
  readonly severity: 'error' | 'warning';
  /** One sentence without secrets; for a file it begins with `FILE:LINE:COL`. */
  readonly message: string;
  /** The key that it is about, if it is about one. */
  readonly keyId?: string;
}

export interface KeySourceStatus {
  /** Whether the last reading succeeded and the source can be reached. */
  readonly up: boolean;
  /** When the keys were last known to be those of the source, in milliseconds since the epoch. */
  readonly lastSyncAt: number | null;
  readonly invalidDefinitions: number;
  /** Whether there has been a set of keys at all. */
  readonly loaded: boolean;
  /** Why `up` is false. */
  readonly why: string | null;
}
