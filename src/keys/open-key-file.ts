/**
 * One reading of a key file that is to be changed: tells what it holds, and makes one change to its text, which is read again and must
 * say exactly what it should. Reads and writes no file.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Environment } from '../config/document.ts';
import type { Finding } from '../config/issue.ts';
import { fieldName, formatErrors, type Problem } from '../config/problem.ts';
import type { AddressListDefinition } from './list-definition.ts';
import type { KeyDefinition, Loaded, PolicyDefinition, SharedRecords } from './definition.ts';
import { loadKeyText, streamKeyText } from './key-file.ts';
import type { Stored, StoreFailure } from './key-store.ts';
import { editAroundKeys, editLongKeyFile } from './long-file-edit.ts';
import { LISTS, POLICIES, usersOf, withRecord, type RecordKind, type RecordUsers } from './record-kind.ts';

export interface KeyFileContext {
  /** As it is to be named in messages. */
  readonly file: string;
  readonly env: Environment;
  /** The names of the APIs, of which alone a change may speak. */
  readonly apis: readonly string[];
}

/** What a key, a policy or a list is to be; null: it goes. */
export type FileChange =
  | { readonly section: 'keys'; readonly id: string; readonly after: KeyDefinition | null }
  | { readonly section: 'policies'; readonly name: string; readonly after: PolicyDefinition | null }
  | { readonly section: 'lists'; readonly name: string; readonly after: AddressListDefinition | null };

export interface StoredRecord {
  readonly stored: Loaded<PolicyDefinition | AddressListDefinition> | null;
  readonly users: RecordUsers;
}

export interface OpenKeyFile {
  readonly key: (id: string) => KeyDefinition | null;
  readonly record: (section: RecordKind<unknown>['section'], name: string) => StoredRecord;
  /** The text of the file with the change made. */
  readonly change: (change: FileChange) => Stored<string>;
}

interface Content {
  readonly text: string;
  readonly definitions: readonly KeyDefinition[];
  readonly records: SharedRecords;
}

export function openKeyFile(text: string, context: KeyFileContext): Stored<OpenKeyFile> {
  const { definitions, records, problems } = loadKeyText(text, context.file, context.env);
  if (definitions === null)
    return failed({
      kind: 'unavailable',
      why: `The key file has to be corrected first: ${formatErrors(problems).join(' ')}`,
    });
  const content: Content = { text, definitions, records };
  const set = { definitions: definitions.map((definition) => ({ id: definition.id, definition })), records };
  return {
    ok: true,
    value: {
      key: (id) => definitions.find((definition) => definition.id === id) ?? null,
      record(section, name) {
        const kind = section === 'policies' ? POLICIES : LISTS;
        return { stored: kind.of(records).get(name) ?? null, users: usersOf(kind, name, set) };
      },
      change(change) {
        const wanted = wantedAfter(content, change);
        const next = wanted.make();
        const failure = judge(next, wanted, context);
        return failure === null ? { ok: true, value: next } : failed(failure);
      },
    },
  };
}

/** What the changed text should say, and how it is made. */
interface Wanted {
  readonly make: () => string;
  readonly definitions: readonly KeyDefinition[];
  readonly records: SharedRecords;
  /** Where in the file the change stands; null: it is a key, and a clash of two keys is told at whichever of them. */
  readonly field: string | null;
}

function wantedAfter(content: Content, change: FileChange): Wanted {
  if (change.section === 'policies') return wantedRecord(content, POLICIES, change);
  if (change.section === 'lists') return wantedRecord(content, LISTS, change);
  const { text, definitions, records } = content;
  const { id, after } = change;
  const at = definitions.findIndex((definition) => definition.id === id);
  const index = at === -1 ? definitions.length : at;
  const edit = { index, before: definitions[at] ?? null, after };
  return {
    make: () => editLongKeyFile(text, edit),
    definitions: definitions.toSpliced(index, 1, ...(after ? [after] : [])),
    records,
    field: null,
  };
}

function wantedRecord<T>(
  { text, definitions, records }: Content,
  kind: RecordKind<T>,
  { name, after }: { readonly name: string; readonly after: T | null },
): Wanted {
  const loaded = kind.of(records).get(name);
  const before = loaded !== undefined && 'definition' in loaded ? loaded.definition : null;
  return {
    make: () => editAroundKeys(text, (short) => kind.edit(short, { name, before, after })),
    definitions,
    records: withRecord(records, kind, name, after),
    field: fieldName([kind.field, name]),
  };
}

/** Anchors and merge keys can make an edit reach further than it should, or not as far. */
function judge(text: string, { definitions, records, field }: Wanted, context: KeyFileContext): StoreFailure | null {
  let [count, differs] = [0, false];
  const result = streamKeyText(text, context, {
    begin: (found) => ([count, differs] = [0, !isDeepStrictEqual(found, records)]),
    key: (definition) => (differs ||= !isDeepStrictEqual(definition, definitions[count++])),
  });
  if (result.valid) return differs || count !== definitions.length ? NOT_EDITABLE : null;
  const findings = result.problems.flatMap((problem) => findingOf(problem, field, definitions));
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

const failed = (failure: StoreFailure) => ({ ok: false, failure }) as const;
