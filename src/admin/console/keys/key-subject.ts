/** A key as something that is edited: its form with its type, and how it is read, saved and deleted. */
import { deleteKey, readKey, replaceKey } from '../api/requests.ts';
import type { KeyDefinition, KeyType } from '../api/types.ts';
import type { Editing } from '../state/edited.ts';
import type { Subject } from '../state/subject.ts';
import { findingsAfter } from '../state/row-findings.ts';
import { TYPE_NAMES } from '../ui/type-names.ts';
import {
  definitionOf,
  differences,
  draftFindingsAfter,
  draftOf,
  rebase,
  withHiddenParts,
  withoutBlankRows,
} from './draft.ts';
import { FIELDS, type Draft, type FieldName } from './fields.ts';

export type KeyDraft = Draft & { readonly type: KeyType };
export type KeyEditing = Editing<KeyDefinition, KeyDraft>;

export const keyDraftOf = (definition: KeyDefinition): KeyDraft => ({ ...draftOf(definition), type: definition.type });

/** The parts of a form that hold these fields; null: the default. */
export function partsOf(fields: Readonly<Record<string, unknown>>): Partial<KeyDraft> {
  const { type, ...others } = fields;
  const parts = Object.entries(others)
    .filter(([name]) => Object.hasOwn(FIELDS, name))
    .map(([name, value]) =>
      value === null
        ? FIELDS[name as FieldName].empty
        : FIELDS[name as FieldName].read({ [name]: value } as unknown as KeyDefinition),
    );
  return Object.assign({}, ...parts, type === undefined ? {} : { type }) as Partial<KeyDraft>;
}

export const keyDifferences = (one: KeyDraft, other: KeyDraft): ('type' | FieldName)[] => [
  ...(one.type === other.type ? [] : (['type'] as const)),
  ...differences(one, other),
];

/** A field of a key and its value in words. */
export const keyWords = (definition: KeyDefinition, field: string): readonly [title: string, value: string] =>
  field === 'type'
    ? ['Type', TYPE_NAMES[definition.type]]
    : [FIELDS[field as FieldName].title, FIELDS[field as FieldName].words(definition)];

export const keySubject = (id: string): Subject<KeyDefinition, KeyDraft> => ({
  name: `the key ${id}`,
  saved: 'Saved. Requests are judged by it from now on.',
  all: '#/keys',
  draftOf: keyDraftOf,
  tidied: (draft) => ({ ...withoutBlankRows(draft), type: draft.type }),
  withHidden: (saved, typed) => ({ ...withHiddenParts(saved, typed), type: saved.type }),
  differences: keyDifferences,
  rebase(typed, base, now) {
    const { draft, theirs, both } = rebase(typed, base, now);
    const type = typed.type === base.type ? now.type : typed.type;
    const clash = typed.type !== base.type && now.type !== base.type && typed.type !== now.type;
    return {
      draft: { ...draft, type },
      theirs: [...(now.type === base.type ? [] : ['type']), ...theirs],
      both: [...(clash ? ['type'] : []), ...both],
    };
  },
  findingsAfter: (findings, before, after) =>
    findingsAfter(draftFindingsAfter(findings, before, after), 'type', { before: before.type, after: after.type }),
  words: keyWords,
  read: () => readKey(id),
  put: (draft, etag) => replaceKey(id, definitionOf(draft, draft.type), etag ?? '*'),
  remove: (etag) => deleteKey(id, etag),
});
