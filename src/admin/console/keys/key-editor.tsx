/** The page of a key that can be read: its head, its warnings, its traffic, the form with Save, and its secrets. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { KeyDefinition, KeyStatus } from '../api/types.ts';
import { Suggested } from '../observed/suggested.tsx';
import { WouldRefuse } from '../observed/would-refuse.tsx';
import { UndoNotice } from '../history/undo-notice.tsx';
import { useEditing } from '../state/edited.ts';
import type { Stored } from '../state/subject.ts';
import { useUndo } from '../state/undo.ts';
import { ConflictNotice } from '../ui/conflict-notice.tsx';
import { Errors, messagesFor, TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { SaveBar } from '../ui/save-bar.tsx';
import { TYPE_NAMES } from '../ui/type-names.ts';
import { sentenceOf } from '../ui/wording.ts';
import { Changes, WideningDialog } from './changes.tsx';
import { KeyHead } from './key-head.tsx';
import { typesOf } from './draft.ts';
import type { FieldName } from './fields.ts';
import { isInKeyForm, KeyForm } from './key-form.tsx';
import { keyDraftOf, keySubject, partsOf, type KeyEditing } from './key-subject.ts';
import { KeyTraffic } from './key-traffic.tsx';
import { Secrets } from './secrets.tsx';
import { widening } from './widening.ts';

export interface KeyEditorProps {
  readonly stored: Stored<KeyDefinition>;
  readonly status: KeyStatus | null;
  /** Why nothing can be changed; null: everything can. */
  readonly readOnly: string | null;
  readonly knownEvents: readonly string[];
  /** An address that is filled in among those from which the key may be used; null: none. */
  readonly allow: string | null;
  readonly onChanged: () => void;
}

export function KeyEditor({ stored, status, readOnly, knownEvents, allow, onChanged }: KeyEditorProps) {
  const { id } = stored.value;
  const editing = useEditing(stored, keySubject(id), onChanged);
  const { base, draft, findings } = editing;
  const definition = base.value;
  useFilledIn(editing, readOnly === null ? allow : null);
  const undo = useUndo('key', id, ({ before }) => editing.change(partsOf(before)));
  return (
    <>
      <KeyHead editing={editing} status={status} readOnly={readOnly !== null} />
      {readOnly !== null && <Notice kind="info">{readOnly}</Notice>}
      {editing.dirty && <UndoNotice undo={undo} />}
      <Warnings status={status} />
      <KeyTraffic
        definition={definition}
        onEnforce={readOnly === null ? () => editing.change({ mode: 'enforce' }) : null}
      />
      <SavedForm editing={editing} readOnly={readOnly !== null}>
        <div class="card wide">
          <TextField
            label="Description"
            width="wide"
            value={draft.description}
            disabled={readOnly !== null}
            errors={messagesFor(findings, 'description')}
            onChange={(description) => editing.change({ description })}
          />
          <TypeChange editing={editing} />
        </div>
        <KeyForm
          type={draft.type}
          draft={draft}
          change={editing.change}
          findings={findings}
          readOnly={readOnly !== null}
          inherited={definition.inherited}
          knownEvents={knownEvents}
          apiKeyId={definition.apiKey?.id ?? null}
        />
        <Suggested definition={definition} type={draft.type} readOnly={readOnly !== null} change={editing.change} />
      </SavedForm>
      <Secrets definition={definition} status={status} readOnly={readOnly !== null} onChanged={onChanged} />
    </>
  );
}

/** What somebody wants to let in is filled in once, and not saved. */
function useFilledIn({ draft, change }: KeyEditing, allow: string | null): void {
  useEffect(() => {
    if (allow === null || draft.anywhere || draft.locations.some(({ address }) => address === allow)) return;
    change({ locations: [...draft.locations, { address: allow, description: '' }] });
  }, [allow]);
}

interface SavedFormProps {
  readonly editing: KeyEditing;
  readonly readOnly: boolean;
  readonly children: ComponentChildren;
}

function SavedForm({ editing, readOnly, children }: SavedFormProps) {
  const { base, draft } = editing;
  const [asked, setAsked] = useState<readonly string[]>([]);
  const save = (): void => {
    const has = (name: FieldName): boolean => typesOf(name)?.includes(draft.type) !== false;
    const widens = widening(keyDraftOf(base.value), draft, has);
    if (widens.length > 0) setAsked(widens);
    else void editing.save();
  };
  return (
    <form
      noValidate
      class="key-form"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      {children}
      {!readOnly && <Changes base={base.value} draft={draft} />}
      <WouldRefuse editing={editing} />
      {!readOnly && (
        <SaveBar
          outcome={editing}
          busy={editing.busy}
          dirty={editing.dirty}
          label="Save"
          notSaved={notSaved}
          shows={isInKeyForm}
          onDiscard={editing.discard}
          conflict={
            editing.conflict && (
              <ConflictNotice
                conflict={editing.conflict}
                what="key"
                all="#/keys"
                onKeepMine={editing.keepMine}
                onTakeTheirs={editing.takeTheirs}
              />
            )
          }
        />
      )}
      {asked.length > 0 && (
        <WideningDialog
          id={base.value.id}
          says={asked}
          onCancel={() => setAsked([])}
          onSave={() => {
            setAsked([]);
            void editing.save();
          }}
        />
      )}
    </form>
  );
}

const notSaved = (count: number): string =>
  `Not saved: ${count === 1 ? 'one field needs' : `${count} fields need`} another value.`;

/** A suggestion may have narrowed the type; a server may find fault with it. */
function TypeChange({ editing: { base, draft, findings } }: { readonly editing: KeyEditing }) {
  const messages = messagesFor(findings, 'type');
  if (draft.type === base.value.type && messages.length === 0) return null;
  return (
    <div>
      <p>
        Type: <strong>{TYPE_NAMES[draft.type]}</strong>
        {draft.type !== base.value.type && `, until now ${TYPE_NAMES[base.value.type]}`}
      </p>
      <Errors messages={messages} />
    </div>
  );
}

function Warnings({ status }: { readonly status: KeyStatus | null }) {
  if (status === null || status.warnings.length === 0) return null;
  return (
    <Notice kind="warning">
      <ul class="plain-list">
        {status.warnings.map(sentenceOf).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </Notice>
  );
}
