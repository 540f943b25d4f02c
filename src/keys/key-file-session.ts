/**
 * Opens a key file for one change without keeping requests waiting: a small file here, a large one in a thread of its own, which
 * reads, edits and proves it. Either way the same functions do that. Writes nothing.
 */
import { Worker } from 'node:worker_threads';
import { readWhole } from '../lib/files.ts';
import type { KeyDefinition } from './definition.ts';
import type { Stored } from './key-store.ts';
import {
  openKeyFile,
  type FileChange,
  type KeyFileContext,
  type OpenKeyFile,
  type StoredRecord,
} from './open-key-file.ts';
import type { RecordKind } from './record-kind.ts';

export interface KeyFileSession {
  /** The file as it was read. */
  readonly bytes: Uint8Array;
  readonly key: (id: string) => Promise<KeyDefinition | null>;
  readonly record: (section: RecordKind<unknown>['section'], name: string) => Promise<StoredRecord>;
  /** The file with the change made. */
  readonly change: (change: FileChange) => Promise<Stored<Uint8Array>>;
}

/** A question to the thread: a method of the open file, and what it is asked. */
export type Question =
  | { readonly ask: 'key'; readonly id: string }
  | { readonly ask: 'record'; readonly section: RecordKind<unknown>['section']; readonly name: string }
  | { readonly ask: 'change'; readonly change: FileChange };

export interface SessionData {
  readonly bytes: Uint8Array;
  readonly context: KeyFileContext;
}

/** In bytes, about 150 keys: read and edited in less time than it takes to start a thread. */
const LARGE = 65_536;

/** What `use` makes of the file. Rejects when the thread itself fails, for want of memory say. */
export async function withKeyFile<R>(
  context: KeyFileContext,
  signal: AbortSignal,
  use: (session: KeyFileSession) => Promise<Stored<R>>,
): Promise<Stored<R>> {
  let bytes: Uint8Array;
  try {
    bytes = readWhole(context.file);
  } catch (error) {
    return unreadable(error);
  }
  if (bytes.length >= LARGE) return inThread({ bytes, context }, signal, use);
  const opened = openBytes({ bytes, context });
  if (!opened.ok) return opened;
  const answer = async (question: Question): Promise<unknown> => answerOf(opened.value, question);
  return use(sessionOf(bytes, answer));
}

export function openBytes({ bytes, context }: SessionData): Stored<OpenKeyFile> {
  try {
    return openKeyFile(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), context);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return unreadable(error);
  }
}

/** The error of the file system, or of a text that is not UTF-8. */
export function unreadable(error: unknown): Extract<Stored<never>, { readonly ok: false }> {
  const why = (error as NodeJS.ErrnoException).code ?? 'the reason is unknown';
  return { ok: false, failure: { kind: 'unavailable', why: `The key file cannot be read: ${why}.` } };
}

export function answerOf(file: OpenKeyFile, question: Question): unknown {
  switch (question.ask) {
    case 'key':
      return file.key(question.id);
    case 'record':
      return file.record(question.section, question.name);
    case 'change': {
      const changed = file.change(question.change);
      return changed.ok ? { ok: true, value: new TextEncoder().encode(changed.value) } : changed;
    }
  }
}

const sessionOf = (bytes: Uint8Array, ask: (question: Question) => Promise<unknown>): KeyFileSession => ({
  bytes,
  key: (id) => ask({ ask: 'key', id }) as Promise<KeyDefinition | null>,
  record: (section, name) => ask({ ask: 'record', section, name }) as Promise<StoredRecord>,
  change: (change) => ask({ ask: 'change', change }) as Promise<Stored<Uint8Array>>,
});

async function inThread<R>(
  { bytes, context }: SessionData,
  signal: AbortSignal,
  use: (session: KeyFileSession) => Promise<Stored<R>>,
): Promise<Stored<R>> {
  signal.throwIfAborted();
  const workerData: SessionData = { bytes, context: { ...context, env: { ...context.env } } };
  const thread = new Worker(new URL('./key-file-session-thread.js', import.meta.url), { workerData });
  const stop = (): void => void thread.terminate();
  signal.addEventListener('abort', stop);
  try {
    const answer = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        thread.once('message', resolve);
        thread.once('error', reject);
        thread.once('exit', () => reject(new Error('the thread that changes the key file ended too early')));
      });
    const opened = (await answer()) as Stored<null>;
    if (!opened.ok) return opened;
    const ask = (question: Question): Promise<unknown> => {
      const answered = answer();
      // A thread has no origin to name.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      thread.postMessage(question);
      return answered;
    };
    return await use(sessionOf(bytes, ask));
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
