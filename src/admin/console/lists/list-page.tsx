/** One address list, or a new one: its addresses, or the file or URL that they are read from, and how that went. */
import { readAddressList } from '../api/requests.ts';
import type { AddressList } from '../api/types.ts';
import { Locations } from '../keys/locations.tsx';
import { UndoNotice } from '../history/undo-notice.tsx';
import { listAddress, setUnsaved } from '../route.ts';
import { useEditing } from '../state/edited.ts';
import type { Stored } from '../state/subject.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { announcement } from '../state/status.ts';
import { useUndo, withBefore } from '../state/undo.ts';
import { Choice, Errors, messagesFor, messagesWithin, TextField } from '../ui/field.tsx';
import { Await, Notice } from '../ui/notice.tsx';
import { RecordEditor } from '../ui/record-editor.tsx';
import { Ago } from '../ui/time.tsx';
import { listDraftOf, listSubject, NEW_LIST, type ListDraft } from './list-subject.ts';

const REFRESH_MS = 10_000;

export function ListPage({ name }: { readonly name: string | null }) {
  return name === null ? (
    <ListEditor stored={{ value: NEW_LIST, etag: null }} now={NEW_LIST} name={null} />
  ) : (
    <StoredList name={name} />
  );
}

function StoredList({ name }: { readonly name: string }) {
  const list = useResource(`list ${name}`, () => readAddressList(name), REFRESH_MS);
  return (
    <Await resource={list} what="the list">
      {(value) => <ListEditor stored={{ value, etag: list.etag }} now={value} name={name} />}
    </Await>
  );
}

interface ListEditorProps {
  readonly stored: Stored<AddressList>;
  /** With how its last reading went, which changes while the definition stays. */
  readonly now: AddressList;
  /** null: a new one. */
  readonly name: string | null;
}

function ListEditor({ stored, now, name }: ListEditorProps) {
  const editing = useEditing(stored, listSubject(name), (saved) => {
    if (name !== null) return;
    announcement.set(`The list ${saved.name} is saved.`);
    setUnsaved(null);
    location.hash = listAddress(saved.name);
  });
  const { draft, findings, change } = editing;
  const readOnly = useReadOnly();
  const undo = useUndo('list', name, ({ change: { target }, before }) =>
    editing.change(listDraftOf(withBefore({ ...stored.value, name: target }, before))),
  );
  return (
    <>
      <RecordEditor
        editing={editing}
        what="list"
        list={['#/lists', 'Lists']}
        name={name}
        readOnly={readOnly}
        shows={isShown}
        usedBy={now.usedBy}
      >
        {editing.dirty && <UndoNotice undo={undo} />}
        {name !== null && <Reading list={now} />}
        <section class="card" aria-labelledby="addresses">
          <h2 id="addresses">Addresses</h2>
          {name === null && (
            <TextField
              label="Name"
              mono
              required
              value={draft.name}
              disabled={readOnly !== null}
              autocomplete="off"
              errors={messagesFor(findings, 'name')}
              onChange={(next) => change({ name: next })}
            />
          )}
          <Choice
            label="Where the addresses are"
            value={draft.kind}
            disabled={readOnly !== null}
            onChange={(kind) => change({ kind })}
            options={[
              ['literal', 'Here'],
              ['file', 'In a file', 'One address or range in a line, beside the key file.'],
              ['url', 'At a URL', 'Read again and again; a reading that is not to be believed changes nothing.'],
            ]}
          />
          <Source draft={draft} change={change} findings={findings} readOnly={readOnly !== null} />
          <Errors messages={messagesFor(findings, 'entries')} />
        </section>
      </RecordEditor>
      {name !== null && now.kind !== 'literal' && <Entries list={now} />}
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
