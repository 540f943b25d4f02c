/** One address list, or a new one: its addresses, or the file or URL that they are read from, and how that went. */
import { useState } from 'preact/hooks';
import { deleteAddressList, putAddressList, readAddressList } from '../api/requests.ts';
import type { AddressList, AddressListReplacement } from '../api/types.ts';
import { savedLocation, type Location } from '../keys/fields.ts';
import { Locations } from '../keys/locations.tsx';
import { listAddress, setUnsaved } from '../route.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { useSaving } from '../state/saving.ts';
import { announcement } from '../state/status.ts';
import { Choice, Errors, messagesFor, messagesWithin, TextField, useFocusOnMistake } from '../ui/field.tsx';
import { Await, Notice } from '../ui/notice.tsx';
import { RecordBar, RecordHead, Users } from '../ui/record.tsx';
import { Ago } from '../ui/time.tsx';

export function ListPage({ name }: { readonly name: string | null }) {
  return name === null ? (
    <ListEditor list={null} etag={null} onChanged={() => undefined} />
  ) : (
    <StoredList name={name} />
  );
}

function StoredList({ name }: { readonly name: string }) {
  const list = useResource(`list ${name}`, () => readAddressList(name));
  return (
    <Await resource={list} what="the list">
      {(read) => <ListEditor key={list.etag} list={read} etag={list.etag} onChanged={() => void list.reload()} />}
    </Await>
  );
}

interface ListDraft {
  readonly name: string;
  readonly kind: AddressList['kind'];
  readonly entries: readonly Location[];
  readonly file: string;
  readonly url: string;
  readonly refreshMinutes: string;
  readonly maxEntries: string;
}

const draftOf = (list: AddressList | null): ListDraft => ({
  name: list?.name ?? '',
  kind: list?.kind ?? 'literal',
  entries: list?.kind === 'literal' ? list.entries : [],
  file: list?.file ?? '',
  url: list?.url ?? '',
  refreshMinutes: String(list?.refreshMinutes ?? 60),
  maxEntries: String(list?.maxEntries ?? 100_000),
});

function bodyOf({ kind, entries, file, url, refreshMinutes, maxEntries }: ListDraft): AddressListReplacement {
  switch (kind) {
    case 'literal':
      return { entries: entries.filter(({ address }) => address.trim() !== '').map(savedLocation) };
    case 'file':
      return { file };
    case 'url':
      return { url, refreshMinutes: Number(refreshMinutes), maxEntries: Number(maxEntries) };
  }
}

interface ListEditorProps {
  /** null: a new one. */
  readonly list: AddressList | null;
  readonly etag: string | null;
  readonly onChanged: () => void;
}

function ListEditor({ list, etag, onChanged }: ListEditorProps) {
  const [draft, setDraft] = useState(() => draftOf(list));
  const readOnly = useReadOnly();
  const dirty = JSON.stringify(draft) !== JSON.stringify(draftOf(list));
  const saving = useSaving(dirty ? 'There are unsaved changes of the list.' : null);
  const { findings } = saving;
  useFocusOnMistake(findings);
  const change = (part: Partial<ListDraft>): void => setDraft({ ...draft, ...part });
  const save = (): Promise<void> =>
    saving.attempt(
      () => putAddressList(draft.name, bodyOf(draft), etag),
      () => {
        setUnsaved(null);
        announcement.set(`The list ${draft.name} is saved.`);
        if (list === null) location.hash = listAddress(draft.name);
        else onChanged();
        return 'Saved.';
      },
    );
  const remove = (): Promise<void> =>
    saving.attempt(
      () => deleteAddressList(draft.name, etag ?? ''),
      () => {
        setUnsaved(null);
        announcement.set(`The list ${draft.name} is deleted.`);
        location.hash = '#/lists';
        return '';
      },
    );
  const canChange = readOnly === null;
  return (
    <>
      <RecordHead
        list={['#/lists', 'Lists']}
        title="New list"
        name={list?.name ?? null}
        onDelete={list === null || !canChange ? null : () => void remove()}
      />
      {readOnly !== null && <Notice kind="info">{readOnly}</Notice>}
      {list !== null && <Reading list={list} />}
      <form
        noValidate
        class="record-form"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <section class="card" aria-labelledby="addresses">
          <h2 id="addresses">Addresses</h2>
          {list === null && (
            <TextField
              label="Name"
              mono
              required
              value={draft.name}
              autocomplete="off"
              errors={messagesFor(findings, 'name')}
              onChange={(name) => change({ name })}
            />
          )}
          <Choice
            label="Where the addresses are"
            value={draft.kind}
            disabled={!canChange}
            onChange={(kind) => change({ kind })}
            options={[
              ['literal', 'Here'],
              ['file', 'In a file', 'One address or range in a line, beside the key file.'],
              ['url', 'At a URL', 'Read again and again; a reading that is not to be believed changes nothing.'],
            ]}
          />
          <Source draft={draft} change={change} findings={findings} readOnly={!canChange} />
          <Errors messages={messagesFor(findings, 'entries')} />
        </section>
        {canChange && <RecordBar saving={saving} dirty={dirty} isNew={list === null} shows={isShown} />}
      </form>
      {list !== null && list.kind !== 'literal' && <Entries list={list} />}
      {list !== null && <Users usedBy={list.usedBy} />}
    </>
  );
}

const isShown = (field: string): boolean => /^(?:name|entries|file|url|refreshMinutes|maxEntries)\b/.test(field);

interface SourceProps {
  readonly draft: ListDraft;
  readonly change: (part: Partial<ListDraft>) => void;
  readonly findings: Parameters<typeof messagesFor>[0];
  readonly readOnly: boolean;
}

function Source({ draft, change, findings, readOnly }: SourceProps) {
  const text = (field: 'file' | 'url' | 'refreshMinutes' | 'maxEntries', label: string) => (
    <TextField
      label={label}
      mono
      width={field === 'file' || field === 'url' ? 'wide' : 'narrow'}
      value={draft[field]}
      disabled={readOnly}
      errors={messagesWithin(findings, field)}
      onChange={(value) => change({ [field]: value })}
    />
  );
  switch (draft.kind) {
    case 'literal':
      return (
        <Locations
          locations={draft.entries}
          errorsAt={(index, part) => [
            ...messagesFor(findings, `entries[${index}].${part}`),
            ...(part === 'address' ? messagesFor(findings, `entries[${index}]`) : []),
          ]}
          empty="The list is empty: it holds nobody."
          readOnly={readOnly}
          onChange={(entries) => change({ entries })}
        />
      );
    case 'file':
      return text('file', 'File');
    case 'url':
      return (
        <>
          {text('url', 'URL')}
          {text('refreshMinutes', 'Read again every (minutes)')}
          {text('maxEntries', 'Most entries')}
        </>
      );
  }
}

function Reading({ list: { kind, up, why, lastSuccessAt, total } }: { readonly list: AddressList }) {
  if (kind === 'literal') return null;
  return (
    <Notice kind={up ? 'info' : 'error'}>
      <p>
        {up
          ? `${total} entries, read `
          : `The last reading could not be believed: ${why ?? 'it is not over yet'}. ${total} entries serve, read `}
        {lastSuccessAt === null ? 'never' : <Ago at={lastSuccessAt} />}.
      </p>
    </Notice>
  );
}

function Entries({ list: { entries, total } }: { readonly list: AddressList }) {
  return (
    <section class="card" aria-labelledby="entries">
      <h2 id="entries">Entries in use</h2>
      <ul class="plain-list mono">
        {entries.map(({ address }) => (
          <li key={address}>{address}</li>
        ))}
      </ul>
      {total > entries.length && <p class="hint">Of {total} entries, joined where one holds another.</p>}
    </section>
  );
}
