/** The page of a key that can be read: its head, its warnings, the form with Save, and its secrets. */
import { useState } from 'preact/hooks';
import type { KeyStatus } from '../api/types.ts';
import { Badge, StateBadge } from '../ui/badge.tsx';
import { messagesFor, TextField, useFocusOnMistake } from '../ui/field.tsx';
import { FailureNotice, LiveRegion, Notice } from '../ui/notice.tsx';
import { sentenceOf } from '../ui/wording.ts';
import { explainAddress } from '../route.ts';
import { Suggested } from '../observed/suggested.tsx';
import { WouldRefuse } from '../observed/would-refuse.tsx';
import { ConflictNotice } from './conflict-notice.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { useEditing, type Editing, type Stored } from './editing.ts';
import { KeyForm } from './key-form.tsx';
import { Secrets } from './secrets.tsx';
import { TYPE_NAMES } from '../ui/type-names.ts';

export interface KeyEditorProps {
  readonly stored: Stored;
  readonly status: KeyStatus | null;
  /** Why nothing can be changed; null: everything can. */
  readonly readOnly: string | null;
  readonly knownEvents: readonly string[];
  readonly onChanged: () => void;
}

export function KeyEditor({ stored, status, readOnly, knownEvents, onChanged }: KeyEditorProps) {
  const editing = useEditing(stored, onChanged);
  const { base, draft, findings, conflict, failure } = editing;
  useFocusOnMistake(findings);
  return (
    <>
      <Head editing={editing} status={status} readOnly={readOnly !== null} />
      {readOnly !== null && <Notice kind="info">{readOnly}</Notice>}
      <Warnings status={status} />
      <form
        noValidate
        class="key-form"
        onSubmit={(event) => {
          event.preventDefault();
          void editing.save();
        }}
      >
        <div class="card">
          <TextField
            label="Description"
            width="wide"
            value={draft.description}
            disabled={readOnly !== null}
            errors={messagesFor(findings, 'description')}
            onChange={(description) => editing.change({ description })}
          />
        </div>
        <KeyForm
          type={base.definition.type}
          draft={draft}
          change={editing.change}
          findings={findings}
          readOnly={readOnly !== null}
          knownEvents={knownEvents}
          apiKeyId={base.definition.apiKey?.id ?? null}
        />
        <Suggested definition={base.definition} readOnly={readOnly !== null} change={editing.change} />
        <WouldRefuse editing={editing} />
        {failure !== null && <FailureNotice failure={failure} />}
        {conflict !== null && <ConflictNotice conflict={conflict} editing={editing} />}
        {readOnly === null && <SaveBar editing={editing} />}
      </form>
      <Secrets definition={base.definition} status={status} readOnly={readOnly !== null} onChanged={onChanged} />
    </>
  );
}

interface HeadProps {
  readonly editing: Editing;
  readonly status: KeyStatus | null;
  readonly readOnly: boolean;
}

function Head({ editing, status, readOnly }: HeadProps) {
  const [deleting, setDeleting] = useState(false);
  const { id, type, enabled, mode } = editing.base.definition;
  return (
    <div class="title-row">
      <div class="title">
        <p class="crumb">
          <a href="#/keys">Keys</a>
        </p>
        <h1 class="mono">{id}</h1>
        <p class="badges">
          <Badge tone="neutral">{TYPE_NAMES[type]}</Badge>
          <StateBadge state={enabled ? (status?.state ?? 'active') : 'disabled'} />
          {mode === 'report' && <Badge tone="warning">Report only</Badge>}
        </p>
      </div>
      <div class="actions">
        <a class="button" href={explainAddress({ keyId: id })}>
          Explain a request
        </a>
        {!readOnly && (
          <>
            <button
              type="button"
              class="button"
              disabled={editing.busy}
              onClick={() => void editing.setEnabled(!enabled)}
            >
              {enabled ? 'Disable' : 'Enable'}
            </button>
            <button type="button" class="button button-danger" onClick={() => setDeleting(true)}>
              Delete key
            </button>
          </>
        )}
      </div>
      {deleting && (
        <DeleteDialog
          id={id}
          onCancel={() => setDeleting(false)}
          onDelete={() => {
            setDeleting(false);
            void editing.remove();
          }}
        />
      )}
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

function SaveBar({ editing: { dirty, busy, said, findings, discard } }: { readonly editing: Editing }) {
  const count = findings.length;
  return (
    <div class="save-bar">
      <button type="submit" class="button button-primary" disabled={busy || !dirty}>
        Save
      </button>
      <button type="button" class="button" disabled={busy || !dirty} onClick={discard}>
        Discard changes
      </button>
      <LiveRegion>
        {count > 0 ? (
          <span class="bad">Not saved: {count === 1 ? 'one field needs' : `${count} fields need`} another value.</span>
        ) : (
          said || (dirty ? 'Unsaved changes.' : '')
        )}
      </LiveRegion>
    </div>
  );
}
