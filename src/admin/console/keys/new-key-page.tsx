/** Makes a key. Its secret is shown this once, before anything else can be done. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { createKey, listKeys, randomName } from '../api/requests.ts';
import type { CreatedKey } from '../api/types.ts';
import { UndoNotice } from '../history/undo-notice.tsx';
import { keyAddress, setUnsaved } from '../route.ts';
import { NOTHING_HAPPENED, useUnsaved } from '../state/edited.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { useStatus } from '../state/status.ts';
import { useUndo } from '../state/undo.ts';
import { ShownOnce } from '../ui/copy.tsx';
import { Choice, messagesFor, TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { SaveBar } from '../ui/save-bar.tsx';
import { differences, NEW_DRAFT, newDefinitionOf, type FormPartProps } from './draft.ts';
import { eventNames } from './event-names.ts';
import { isInKeyForm, KeyForm } from './key-form.tsx';
import { keySubject, partsOf, type KeyDraft } from './key-subject.ts';

export function NewKeyPage() {
  const status = useStatus();
  const [made, setMade] = useState<CreatedKey | null>(null);
  const readOnly = useReadOnly();
  if (made !== null) return <Made made={made} onDone={() => void status.reload()} />;
  return (
    <>
      <div class="title">
        <p class="crumb">
          <a href="#/keys">Keys</a>
        </p>
        <h1>New key</h1>
      </div>
      {readOnly === null ? <NewKeyForm onMade={setMade} /> : <Notice kind="info">{readOnly}</Notice>}
    </>
  );
}

function NewKeyForm({ onMade }: { readonly onMade: (made: CreatedKey) => void }) {
  const keys = useResource('keys', listKeys);
  const [id, setId] = useState('');
  const [draft, setDraft] = useState<KeyDraft>({ ...NEW_DRAFT, type: 'write-only' });
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState(NOTHING_HAPPENED);
  const latest = useRef(draft);
  latest.current = draft;
  const request = useRef<Request | null>(null);
  const { findings } = outcome;
  const dirty = id !== '' || differences(NEW_DRAFT, draft).length > 0;
  useUnsaved(dirty ? 'The new key is not created yet.' : null);

  const change = (part: Partial<KeyDraft>): void => {
    const after = { ...latest.current, ...part };
    const left = keySubject(id).findingsAfter(findings, latest.current, after);
    latest.current = after;
    setDraft(after);
    setOutcome((before) => ({ ...before, findings: left }));
  };
  const changeId = (next: string): void => {
    setId(next);
    setOutcome((before) => ({ ...before, findings: findings.filter(({ field }) => field !== 'id') }));
  };

  const undo = useUndo('key', null, ({ change: { target }, before }) => {
    changeId(target);
    change(partsOf(before));
  });

  const create = async (): Promise<void> => {
    const next = keySubject(id).tidied(latest.current);
    setDraft(next);
    setBusy(true);
    const key = { ...newDefinitionOf(next, next.type), id, apiKey: next.apiKey || null };
    request.current = sameOrNew(request.current, JSON.stringify(key));
    const answer = await createKey(key, request.current.name);
    setBusy(false);
    if (answer.ok) return onMade(answer.value);
    const { failure } = answer;
    if (failure.status === 0) return setOutcome({ ...NOTHING_HAPPENED, unsure: 'waiting' });
    const taken = failure.code === 'id_taken' ? [{ field: 'id', message: failure.detail }] : [];
    const found = [...taken, ...failure.findings];
    return setOutcome({ ...NOTHING_HAPPENED, findings: found, failure: found.length > 0 ? null : failure });
  };

  const part = { type: draft.type, draft, change, findings, readOnly: false } as const;
  return (
    <form
      noValidate
      class="key-form"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      {dirty && <UndoNotice undo={undo} />}
      <Naming id={id} onId={changeId} part={part} change={change} />
      <KeyForm {...part} knownEvents={eventNames(keys.value)} apiKeyId={null} />
      <SaveBar
        outcome={outcome}
        busy={busy}
        dirty={dirty}
        always
        label="Create key"
        notSaved={() => 'Not created: see the fields that are marked.'}
        shows={isInKeyForm}
        unsure={UNSURE}
      >
        <a class="button" href="#/keys">
          Cancel
        </a>
      </SaveBar>
    </form>
  );
}

const UNSURE =
  'Postern did not answer. Whether the key was created is not known. Press Create key again, within ten minutes: if it was made, you get its secret now, and it is not made twice.';

/** What was sent last, and the name under which it is sent again. */
interface Request {
  readonly body: string;
  readonly name: string;
}

const sameOrNew = (before: Request | null, body: string): Request =>
  before?.body === body ? before : { body, name: randomName() };

interface NamingProps {
  readonly id: string;
  readonly onId: (id: string) => void;
  readonly part: Pick<FormPartProps, 'draft' | 'findings' | 'type'>;
  readonly change: (part: Partial<KeyDraft>) => void;
}

function Naming({ id, onId, part: { draft, findings, type }, change }: NamingProps) {
  return (
    <div class="card wide">
      <TextField
        label="Id"
        mono
        required
        value={id}
        autocomplete="off"
        hint="Names the key in logs and metrics. Lower-case letters, digits, dots, dashes; never a secret."
        errors={messagesFor(findings, 'id')}
        onChange={onId}
      />
      <TextField
        label="Description"
        width="wide"
        value={draft.description}
        errors={messagesFor(findings, 'description')}
        onChange={(description) => change({ description })}
      />
      <Choice
        label="Type"
        value={type}
        errors={messagesFor(findings, 'type')}
        onChange={(next) => change({ type: next })}
        options={[
          ['write-only', 'Write-only', 'Can only POST. For front ends and collectors.'],
          ['read-only', 'Read-only', 'GET and HEAD. For back ends alone.'],
          ['read-write', 'Read & write', 'All methods. For back ends alone.'],
          ['metrics', 'Metrics', 'For the metrics API. There can be one.'],
        ]}
      />
    </div>
  );
}

function Made({ made: { key, secret, apiKey }, onDone }: { readonly made: CreatedKey; readonly onDone: () => void }) {
  useEffect(() => {
    setUnsaved('The secret of the new key is shown this once.');
    onDone();
    return () => setUnsaved(null);
  }, []);
  return (
    <>
      <h1>
        The key <span class="mono">{key.id}</span> is made
      </h1>
      <div class="card made">
        <ShownOnce focus label={key.type === 'metrics' ? 'Client secret' : 'Secret'} secret={secret} />
        {apiKey !== undefined && <ShownOnce label="API key" secret={apiKey} />}
        <p>
          This is the only time that {apiKey === undefined ? 'it is' : 'they are'} shown. Postern keeps only a hash.
          Store {apiKey === undefined ? 'it' : 'them'} now.
        </p>
        <a class="button button-primary" href={keyAddress(key.id)} onClick={() => setUnsaved(null)}>
          I have stored it
        </a>
      </div>
    </>
  );
}
