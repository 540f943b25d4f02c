/**
 * Keys, policies and address lists in the key file, changed in place: the new text is written beside the old one and takes its name, so that no reader ever
 * sees half of it. Writers of several processes wait for each other, and a file that an editor changed meanwhile is read again.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Environment } from '../config/document.ts';
import { takeDraft, type Draft } from '../lib/file-draft.ts';
import { readWhole } from '../lib/files.ts';
import { shareReadings } from '../lib/shared-reading.ts';
import type { LoadedDefinition, KeyDefinition, Loaded } from './definition.ts';
import { unreadable, withKeyFile, type KeyFileSession } from './key-file-session.ts';
import type { Decide, DecideRecord, KeyStore, Stored, StoreFailure, Updated } from './key-store.ts';
import type { FileChange } from './open-key-file.ts';
import { readKeyFile } from './read-key-file.ts';
import type { KeySet, RecordKind } from './record-kind.ts';

export interface FileStoreOptions {
  readonly file: string;
  readonly env: Environment;
  /** The names of the APIs, of which alone a change may speak. */
  readonly apis: () => readonly string[];
}

export function createFileStore({ file, env, apis }: FileStoreOptions): KeyStore {
  const closing = new AbortController();
  /** One change at a time: the next one waits here rather than for the draft. */
  let latest: Promise<unknown> = Promise.resolve();

  const opened: Opened = (use) => withKeyFile({ file, env, apis: apis() }, closing.signal, use);
  const everything = async (): Promise<Stored<KeySet>> => {
    let definitions: LoadedDefinition[] = [];
    try {
      accessSync(file, constants.R_OK);
      const { valid, records, errors } = await readKeyFile({ file, env }, closing.signal, {
        begin: () => (definitions = []),
        keys: (part) => definitions.push(...part.map((definition) => ({ id: definition.id, definition }))),
      });
      return valid ? { ok: true, value: { definitions, records } } : failed(toCorrect(errors));
    } catch (error) {
      return unreadable(error);
    }
  };
  const change = async <R, T>(edit: Edit<R, T>): Promise<Updated<R, T>> => {
    const readOnly = readOnlyReason(file);
    if (readOnly !== null) return failed({ kind: 'read_only', why: readOnly });
    let draft: Draft | null = null;
    try {
      const place = realpathSync(file);
      draft = await takeDraft(place);
      if (draft === null) return failed(BUSY);
      return await changeLocked({ opened, place, draft, edit });
    } catch (error) {
      return failed(asFailure(error));
    } finally {
      draft?.release();
    }
  };
  const update = <R, T>(edit: Edit<R, T>): Promise<Updated<R, T>> => {
    const made = latest.then(() => change(edit));
    latest = made;
    return made;
  };
  /** A thread for each question about a large file would be more than the memory holds: one looks up all that are asked for. */
  let asked = new Set<string>();
  const readAsked = shareReadings(() => {
    const ids = asked;
    asked = new Set();
    return opened(async ({ key }) => {
      const found = new Map<string, KeyDefinition>();
      for (const id of ids) {
        const definition = await key(id);
        if (definition !== null) found.set(id, definition);
      }
      return done(found);
    }).catch(unreadable);
  });
  return {
    kind: 'file',
    readOnly: () => readOnlyReason(file),
    async list() {
      const stored = await everything();
      return stored.ok ? { ok: true, value: stored.value.definitions } : stored;
    },
    async get(id) {
      asked.add(id);
      const read = await readAsked();
      if (!read.ok) return read;
      const definition = read.value.get(id);
      return done(definition === undefined ? null : { id, definition });
    },
    update: (id, decide) => update(keyEdit(id, decide)),
    everything,
    updateRecord: (kind, name, decide) => update(recordEdit(kind, name, decide)),
    close: () => closing.abort(),
  };
}

/** What is to become of what the file holds. */
type Edit<R, T> = (session: KeyFileSession) => Promise<{ readonly refused: R } | Edited<T>>;

interface Edited<T> {
  readonly before: T | null;
  readonly after: T | null;
  readonly change: FileChange;
}

const keyEdit =
  <R>(id: string, decide: Decide<R>): Edit<R, KeyDefinition> =>
  async ({ key }) => {
    const before = await key(id);
    const decided = decide(before === null ? null : { id, definition: before });
    if ('refused' in decided) return decided;
    const after = decided.next;
    return { before, after, change: { section: 'keys', id, after } };
  };

const recordEdit =
  <R, T>(kind: RecordKind<T>, name: string, decide: DecideRecord<R, T>): Edit<R, T> =>
  async ({ record }) => {
    const { stored, users } = await record(kind.section, name);
    const loaded = stored as Loaded<T> | null;
    const decided = decide(loaded, users);
    if ('refused' in decided) return decided;
    const before = loaded !== null && 'definition' in loaded ? loaded.definition : null;
    const after = decided.next;
    return { before, after, change: { section: kind.section, name, after } as FileChange };
  };

type Opened = <R>(use: (session: KeyFileSession) => Promise<Stored<R>>) => Promise<Stored<R>>;

interface LockedChange<R, T> {
  readonly opened: Opened;
  /** The file itself, past any symbolic link. */
  readonly place: string;
  readonly draft: Draft;
  readonly edit: Edit<R, T>;
}

/** How often an editor may save the file while a change to it is being made. */
const ATTEMPTS = 5;

async function changeLocked<R, T>({ opened, place, draft, edit }: LockedChange<R, T>): Promise<Updated<R, T>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const tried = await opened<Updated<R, T> | null>(async (session) => {
      const edited = await edit(session);
      if ('refused' in edited) return done({ ok: false, refused: edited.refused });
      const { before, after } = edited;
      if (isDeepStrictEqual(before, after)) return done({ ok: true, before, after });
      const next = await session.change(edited.change);
      if (!next.ok) return next;
      await draft.write(next.value);
      // Nothing keeps an editor from saving between this look and the renaming; both take microseconds.
      if (Buffer.compare(session.bytes, readWhole(place)) !== 0) return done(null);
      draft.takePlace();
      return done({ ok: true, before, after });
    });
    if (!tried.ok) return tried;
    if (tried.value !== null) return tried.value;
  }
  return failed({ kind: 'unavailable', why: 'The key file keeps changing. Try again.' });
}

const done = <T>(value: T) => ({ ok: true, value }) as const;

const toCorrect = (errors: readonly string[]): StoreFailure => ({
  kind: 'unavailable',
  why: `The key file has to be corrected first: ${errors.join(' ')}`,
});

const BUSY: StoreFailure = { kind: 'unavailable', why: 'Somebody else is changing the key file. Try again.' };

const READ_ONLY_CODES: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY']);

/** Why the file cannot be changed, or null. A file without any write bit is meant to stay as it is, whoever asks. */
function readOnlyReason(file: string): string | null {
  try {
    const place = realpathSync(file);
    for (const path of [place, dirname(place)]) {
      if ((statSync(path).mode & 0o222) === 0)
        return path === place ? 'the key file is read-only' : 'its folder is read-only';
      accessSync(path, constants.W_OK);
    }
    return null;
  } catch (error) {
    return READ_ONLY_CODES.has(codeOf(error)) ? WHY_READ_ONLY : null;
  }
}

const WHY_READ_ONLY = 'the key file, or the folder that it is in, may not be written to, or is mounted by itself';

const asFailure = (error: unknown): StoreFailure =>
  READ_ONLY_CODES.has(codeOf(error))
    ? { kind: 'read_only', why: WHY_READ_ONLY }
    : { kind: 'unavailable', why: `The key file cannot be written: ${codeOf(error)}.` };

const failed = (failure: StoreFailure) => ({ ok: false, failure }) as const;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'the reason is unknown';
