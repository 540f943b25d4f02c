/**
 * Keys, policies and address lists in the key file, changed in place: the new text is written beside the old one and takes its name, so that no reader ever
 * sees half of it. Writers of several processes wait for each other, and a file that an editor changed meanwhile is read again.
 */
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Environment } from '../config/document.ts';
import type { Finding } from '../config/issue.ts';
import { fieldName, formatErrors, type Problem } from '../config/problem.ts';
import { takeDraft, type Draft } from '../lib/file-draft.ts';
import type { KeyDefinition, SharedRecords } from './definition.ts';
import { loadKeyText } from './key-file.ts';
import { editKeyFile } from './key-file-edit.ts';
import type { Decide, DecideRecord, KeyStore, Stored, StoreFailure, Updated } from './key-store.ts';
import { usersOf, withRecord, type KeySet, type RecordKind } from './record-kind.ts';

export interface FileStoreOptions {
  readonly file: string;
  readonly env: Environment;
  /** The names of the APIs, of which alone a change may speak. */
  readonly apis: () => readonly string[];
}

export function createFileStore({ file, env, apis }: FileStoreOptions): KeyStore {
  const read = (): Stored<ReadFile> => readFile(file, env);
  const readSet = (): Stored<KeySet> => {
    const stored = read();
    return stored.ok ? { ok: true, value: keySetOf(stored.value) } : stored;
  };
  const update = async <R, T>(edit: Edit<R, T>): Promise<Updated<R, T>> => {
    const readOnly = readOnlyReason(file);
    if (readOnly !== null) return failed({ kind: 'read_only', why: readOnly });
    let draft: Draft | null = null;
    try {
      const place = realpathSync(file);
      draft = await takeDraft(place);
      if (draft === null) return failed(BUSY);
      return updateLocked({ file, env, apis: apis(), place, draft, edit });
    } catch (error) {
      return failed(asFailure(error));
    } finally {
      draft?.release();
    }
  };
  return {
    kind: 'file',
    readOnly: () => readOnlyReason(file),
    async list() {
      const stored = readSet();
      return stored.ok ? { ok: true, value: stored.value.definitions } : stored;
    },
    async get(id) {
      const stored = readSet();
      return stored.ok ? { ok: true, value: stored.value.definitions.find((key) => key.id === id) ?? null } : stored;
    },
    update: (id, decide) => update(keyEdit(id, decide)),
    everything: async () => readSet(),
    updateRecord: (kind, name, decide) => update(recordEdit(kind, name, decide)),
    close: () => undefined,
  };
}

interface ReadFile {
  readonly bytes: Buffer;
  readonly text: string;
  readonly definitions: readonly KeyDefinition[];
  readonly records: SharedRecords;
}

const keySetOf = ({ definitions, records }: ReadFile): KeySet => ({
  definitions: definitions.map((definition) => ({ id: definition.id, definition })),
  records,
});

function readFile(file: string, env: Environment): Stored<ReadFile> {
  let bytes: Buffer;
  let text: string;
  try {
    bytes = readFileSync(file);
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    return failed({ kind: 'unavailable', why: `The key file cannot be read: ${codeOf(error)}.` });
  }
  const { definitions, records, problems } = loadKeyText(text, file, env);
  if (definitions !== null) return { ok: true, value: { bytes, text, definitions, records } };
  return failed({
    kind: 'unavailable',
    why: `The key file has to be corrected first: ${formatErrors(problems).join(' ')}`,
  });
}

/** What is to become of what the file holds: text, and what that text should say. */
type Edit<R, T> = (stored: ReadFile) => { readonly refused: R } | Edited<T>;

interface Edited<T> {
  readonly before: T | null;
  readonly after: T | null;
  readonly make: () => string;
  readonly wanted: Pick<ReadFile, 'definitions' | 'records'>;
  /** Where in the file it stands; null: it is a key, and a clash of two keys is told at whichever of them. */
  readonly field: string | null;
}

const keyEdit =
  <R>(id: string, decide: Decide<R>): Edit<R, KeyDefinition> =>
  ({ text, definitions, records }) => {
    const at = definitions.findIndex((definition) => definition.id === id);
    const before = definitions[at] ?? null;
    const change = decide(before === null ? null : { id, definition: before });
    if ('refused' in change) return change;
    const after = change.next;
    const index = at === -1 ? definitions.length : at;
    return {
      before,
      after,
      make: () => editKeyFile(text, { index, before, after }),
      wanted: { definitions: definitions.toSpliced(index, 1, ...(after ? [after] : [])), records },
      field: null,
    };
  };

const recordEdit =
  <R, T>(kind: RecordKind<T>, name: string, decide: DecideRecord<R, T>): Edit<R, T> =>
  (stored) => {
    const { text, definitions, records } = stored;
    const loaded = kind.of(records).get(name) ?? null;
    const change = decide(loaded, usersOf(kind, name, keySetOf(stored)));
    if ('refused' in change) return change;
    const before = loaded !== null && 'definition' in loaded ? loaded.definition : null;
    const after = change.next;
    return {
      before,
      after,
      make: () => kind.edit(text, { name, before, after }),
      wanted: { definitions, records: withRecord(records, kind, name, after) },
      field: fieldName([kind.field, name]),
    };
  };

interface LockedUpdate<R, T> {
  readonly file: string;
  readonly env: Environment;
  readonly apis: readonly string[];
  /** The file itself, past any symbolic link. */
  readonly place: string;
  readonly draft: Draft;
  readonly edit: Edit<R, T>;
}

/** How often an editor may save the file while a change to it is being made. */
const ATTEMPTS = 5;

function updateLocked<R, T>({ file, env, apis, place, draft, edit }: LockedUpdate<R, T>): Updated<R, T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = readFile(file, env);
    if (!stored.ok) return stored;
    const edited = edit(stored.value);
    if ('refused' in edited) return { ok: false, refused: edited.refused };
    const { before, after } = edited;
    if (isDeepStrictEqual(before, after)) return { ok: true, before, after };
    const next = edited.make();
    const failure = judgeEdit(loadKeyText(next, file, env, apis), edited);
    if (failure !== null) return failed(failure);
    draft.write(next);
    // Nothing keeps an editor from saving between this look and the renaming; both take microseconds.
    if (!stored.value.bytes.equals(readFileSync(place))) continue;
    draft.takePlace();
    return { ok: true, before, after };
  }
  return failed({ kind: 'unavailable', why: 'The key file keeps changing. Try again.' });
}

/** Anchors and merge keys can make an edit reach further than it should, or not as far. */
function judgeEdit(
  { definitions, records, problems }: ReturnType<typeof loadKeyText>,
  { wanted, field }: Edited<unknown>,
): StoreFailure | null {
  if (definitions !== null) return isDeepStrictEqual({ definitions, records }, wanted) ? null : NOT_EDITABLE;
  const findings = problems.flatMap((problem) => findingOf(problem, field, wanted.definitions));
  return findings.length === 0 ? NOT_EDITABLE : { kind: 'contradiction', findings };
}

/** A problem of the file as one of what was changed, or of a key by its id; none for what is wrong with the file as such. */
function findingOf(
  { field, severity, message }: Problem,
  own: string | null,
  keys: readonly KeyDefinition[],
): Finding[] {
  if (severity !== 'error') return [];
  const finding = (path: string): Finding[] => [
    { path: path === '' ? [] : [path], message: message.slice(field.length + 1).replace(/\.$/, '') },
  ];
  const [key = null, index = ''] = /^keys\[(\d+)\]/.exec(field) ?? [];
  const changed = own ?? key;
  if (
    changed !== null &&
    (field === changed || (/^[.[]/.test(field.slice(changed.length)) && field.startsWith(changed)))
  )
    return finding(field.slice(changed.length).replace(/^\./, ''));
  const id = keys[Number(index)]?.id;
  return key === null || id === undefined ? [] : finding(`keys.${id}${field.slice(key.length)}`);
}

const NOT_EDITABLE: StoreFailure = {
  kind: 'not_editable',
  why: 'The key file is laid out in a way that this change cannot be made in without changing more (anchors, merge keys or the like). Edit the file itself.',
};

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
