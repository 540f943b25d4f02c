/** An address list as something that is edited: its addresses, or where they are read from, and how it is read, saved and deleted. */
import { deleteAddressList, putAddressList, readAddressList } from '../api/requests.ts';
import type { AddressList, AddressListReplacement } from '../api/types.ts';
import { placeInWords, savedLocation, type Location } from '../keys/fields.ts';
import type { Subject } from '../state/subject.ts';
import { joined } from '../state/join.ts';
import { findingsAfter } from '../state/row-findings.ts';

export interface ListDraft {
  readonly name: string;
  readonly kind: AddressList['kind'];
  readonly entries: readonly Location[];
  readonly file: string;
  readonly url: string;
  readonly refreshMinutes: string;
  readonly maxEntries: string;
}

/** What a new list begins with. */
export const NEW_LIST: AddressList = {
  name: '',
  kind: 'literal',
  entries: [],
  total: 0,
  up: true,
  why: null,
  lastSuccessAt: null,
  ageSeconds: null,
  usedBy: { keys: [], policies: [], configuration: [], total: 0 },
};

export const listDraftOf = ({
  name,
  kind,
  entries,
  file,
  url,
  refreshMinutes,
  maxEntries,
}: AddressList): ListDraft => ({
  name,
  kind,
  entries: kind === 'literal' ? entries : [],
  file: file ?? '',
  url: url ?? '',
  refreshMinutes: String(refreshMinutes ?? 60),
  maxEntries: String(maxEntries ?? 100_000),
});

export function listBodyOf({
  kind,
  entries,
  file,
  url,
  refreshMinutes,
  maxEntries,
}: ListDraft): AddressListReplacement {
  switch (kind) {
    case 'literal':
      return { entries: entries.map(savedLocation) };
    case 'file':
      return { file };
    case 'url':
      return { url, refreshMinutes: Number(refreshMinutes), maxEntries: Number(maxEntries) };
  }
}

const isBlank = ({ address, description }: Location): boolean => address.trim() === '' && description.trim() === '';

const MEMBERS = ['name', 'kind', 'entries', 'file', 'url', 'refreshMinutes', 'maxEntries'] as const;
const TITLES: Readonly<Record<string, string>> = {
  entries: 'Addresses',
  file: 'File',
  url: 'URL',
  refreshMinutes: 'Read again every (minutes)',
  maxEntries: 'Most entries',
};
const KINDS: Readonly<Record<AddressList['kind'], string>> = { literal: 'Here', file: 'In a file', url: 'At a URL' };

export function listDifferences(one: ListDraft, other: ListDraft): string[] {
  const saidBy = (draft: ListDraft): Readonly<Record<string, unknown>> => ({
    name: draft.name,
    kind: draft.kind,
    ...(listBodyOf(draft) as object),
  });
  const [before, after] = [saidBy(one), saidBy(other)];
  return MEMBERS.filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]));
}

/** `name`: null for a new one. */
export const listSubject = (name: string | null): Subject<AddressList, ListDraft> => ({
  name: name === null ? 'the new list' : `the list ${name}`,
  saved: `The list ${name ?? ''} is saved. Requests are judged by it from now on.`,
  all: '#/lists',
  draftOf: listDraftOf,
  tidied: (draft) => ({ ...draft, entries: draft.entries.filter((entry) => !isBlank(entry)) }),
  withHidden: (saved, typed) => (saved.kind === 'literal' ? saved : { ...saved, entries: typed.entries }),
  differences: listDifferences,
  rebase(typed, base, now) {
    const mine = listDifferences(base, typed);
    const theirs = listDifferences(base, now);
    return {
      draft: joined<ListDraft>(
        MEMBERS.map((member) => [member]),
        { typed, base, now },
      ),
      theirs,
      both: listDifferences(typed, now).filter((field) => mine.includes(field) && theirs.includes(field)),
    };
  },
  findingsAfter: (findings, before, after) =>
    MEMBERS.reduce(
      (left, member) => findingsAfter(left, member, { before: before[member], after: after[member] }),
      findings,
    ),
  words(list, field) {
    if (field === 'kind') return ['Where the addresses are', KINDS[list.kind]];
    if (field === 'entries') return [TITLES['entries'] ?? '', list.entries.map(placeInWords).join(', ') || 'None'];
    const draft: Readonly<Record<string, unknown>> = { ...listDraftOf(list) };
    return [TITLES[field] ?? field, JSON.stringify(draft[field])];
  },
  read: () => readAddressList(name ?? ''),
  put: (draft, etag) => putAddressList(draft.name, listBodyOf(draft), etag),
  remove: (etag) => deleteAddressList(name ?? '', etag),
});
