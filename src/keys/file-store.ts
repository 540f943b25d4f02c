/**
 * Keys in the key file, changed in place: the new text is written beside the old one and takes its name, so that no reader ever
 * sees half of it. Writers of several processes wait for each other, and a file that an editor changed meanwhile is read again.
 */
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Environment } from '../config/document.ts';
import { formatErrors } from '../config/problem.ts';
import { takeDraft, type Draft } from '../lib/file-draft.ts';
import type { KeyDefinition, LoadedDefinition } from './definition.ts';
import { loadKeyText } from './key-file.ts';
import { editKeyFile } from './key-file-edit.ts';
import type { Decide, KeyStore, Stored, StoreFailure, Updated } from './key-store.ts';

export interface FileStoreOptions {
  readonly file: string;
  readonly env: Environment;
}

export function createFileStore({ file, env }: FileStoreOptions): KeyStore {
  const read = (): Stored<ReadFile> => readFile(file, env);
  const named = ({ definitions }: ReadFile): LoadedDefinition[] =>
    definitions.map((definition) => ({ id: definition.id, definition }));
  return {
    kind: 'file',
    readOnly: () => readOnlyReason(file),
    async list() {
      const stored = read();
      return stored.ok ? { ok: true, value: named(stored.value) } : stored;
    },
    async get(id) {
      const stored = read();
      return stored.ok ? { ok: true, value: named(stored.value).find((key) => key.id === id) ?? null } : stored;
    },
    async update(id, decide) {
      const readOnly = readOnlyReason(file);
      if (readOnly !== null) return failed({ kind: 'read_only', why: readOnly });
      let draft: Draft | null = null;
      try {
        const place = realpathSync(file);
        draft = await takeDraft(place);
        if (draft === null) return failed(BUSY);
        return updateLocked({ file, env, place, draft, id, decide });
      } catch (error) {
        return failed(asFailure(error));
      } finally {
        draft?.release();
      }
    },
    close: () => undefined,
  };
}

interface ReadFile {
  readonly bytes: Buffer;
  readonly text: string;
  readonly definitions: readonly KeyDefinition[];
}

function readFile(file: string, env: Environment): Stored<ReadFile> {
  let bytes: Buffer;
  let text: string;
  try {
    bytes = readFileSync(file);
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    return failed({ kind: 'unavailable', why: `The key file cannot be read: ${codeOf(error)}.` });
  }
  const { definitions, problems } = loadKeyText(text, file, env);
  if (definitions !== null) return { ok: true, value: { bytes, text, definitions } };
  return failed({
    kind: 'unavailable',
    why: `The key file has to be corrected first: ${formatErrors(problems).join(' ')}`,
  });
}

interface Update<R> extends FileStoreOptions {
  /** The file itself, past any symbolic link. */
  readonly place: string;
  readonly draft: Draft;
  readonly id: string;
  readonly decide: Decide<R>;
}

/** How often an editor may save the file while a change to it is being made. */
const ATTEMPTS = 5;

function updateLocked<R>({ file, env, place, draft, id, decide }: Update<R>): Updated<R> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = readFile(file, env);
    if (!stored.ok) return stored;
    const { bytes, text, definitions } = stored.value;
    const at = definitions.findIndex((definition) => definition.id === id);
    const before = definitions[at] ?? null;
    const change = decide(before === null ? null : { id, definition: before });
    if ('refused' in change) return { ok: false, refused: change.refused };
    const after = change.next;
    if (isDeepStrictEqual(before, after)) return { ok: true, before, after };
    const index = at === -1 ? definitions.length : at;
    const next = editKeyFile(text, { index, before, after });
    const failure = judgeEdit(loadKeyText(next, file, env), definitions.toSpliced(index, 1, ...(after ? [after] : [])));
    if (failure !== null) return failed(failure);
    draft.write(next);
    // Nothing keeps an editor from saving between this look and the renaming; both take microseconds.
    if (!bytes.equals(readFileSync(place))) continue;
    draft.takePlace();
    return { ok: true, before, after };
  }
  return failed({ kind: 'unavailable', why: 'The key file keeps changing. Try again.' });
}

/** Anchors and merge keys can make an edit reach further than it should, or not as far. */
function judgeEdit(
  { definitions, problems }: ReturnType<typeof loadKeyText>,
  wanted: readonly KeyDefinition[],
): StoreFailure | null {
  if (definitions === null) {
    const between = problems.filter(({ field }) => /^keys\[\d+\]/.test(field));
    if (between.length === 0) return NOT_EDITABLE;
    return {
      kind: 'contradiction',
      findings: between.map(({ field, message }) => {
        const path = field.replace(/^keys\[\d+\]\.?/, '');
        return { path: path === '' ? [] : [path], message: message.slice(field.length + 1).replace(/\.$/, '') };
      }),
    };
  }
  return isDeepStrictEqual(definitions, wanted) ? null : NOT_EDITABLE;
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
