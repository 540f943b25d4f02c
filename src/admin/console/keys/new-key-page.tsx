/** Makes a key. Its secret is shown this once, before anything else can be done. */
import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../api/client.ts';
import { createKey, listKeys } from '../api/requests.ts';
import type { CreatedKey, Finding, KeyType } from '../api/types.ts';
import { keyAddress, setUnsaved } from '../route.ts';
import { useResource } from '../state/resource.ts';
import { useStatus } from '../state/status.ts';
import { ShownOnce } from '../ui/copy.tsx';
import { Choice, messagesFor, TextField, useFocusOnMistake } from '../ui/field.tsx';
import { FailureNotice, LiveRegion, Notice } from '../ui/notice.tsx';
import { differences, NEW_DRAFT, newDefinitionOf, withoutBlankRows } from './draft.ts';
import { KeyForm } from './key-form.tsx';

export function NewKeyPage() {
  const status = useStatus();
  const [made, setMade] = useState<CreatedKey | null>(null);
  const readOnly = status.value?.keySource.readOnly ?? null;
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
  const [type, setType] = useState<KeyType>('write-only');
  const [draft, setDraft] = useState(NEW_DRAFT);
  const [busy, setBusy] = useState(false);
  const [findings, setFindings] = useState<readonly Finding[]>([]);
  const [failure, setFailure] = useState<Failure | null>(null);
  const dirty = id !== '' || differences(NEW_DRAFT, draft).length > 0;

  useEffect(() => {
    setUnsaved(dirty ? 'The new key is not created yet.' : null);
    return () => setUnsaved(null);
  }, [dirty]);
  useFocusOnMistake(findings);

  const create = async (): Promise<void> => {
    const next = withoutBlankRows(draft);
    setDraft(next);
    setBusy(true);
    const answer = await createKey({ ...newDefinitionOf(next, type), id, apiKey: next.apiKey || null });
    setBusy(false);
    if (answer.ok) return onMade(answer.value);
    const { code, detail } = answer.failure;
    const found = code === 'id_taken' ? [{ field: 'id', message: detail }] : answer.failure.findings;
    setFindings(found);
    setFailure(found.length > 0 ? null : answer.failure);
  };

  const events = (keys.value?.keys ?? []).flatMap(({ allowedEvents }) =>
    Array.isArray(allowedEvents) ? allowedEvents : [],
  );
  return (
    <form
      noValidate
      class="key-form"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <div class="card">
        <TextField
          label="Id"
          mono
          required
          value={id}
          autocomplete="off"
          hint="Names the key in logs and metrics. Lower-case letters, digits, dots, dashes; never a secret."
          errors={messagesFor(findings, 'id')}
          onChange={setId}
        />
        <TextField
          label="Description"
          width="wide"
          value={draft.description}
          errors={messagesFor(findings, 'description')}
          onChange={(description) => setDraft({ ...draft, description })}
        />
        <Choice
          label="Type"
          value={type}
          onChange={setType}
          options={[
            ['write-only', 'Write-only', 'Can only POST. For front ends and collectors.'],
            ['read-only', 'Read-only', 'GET and HEAD. For back ends alone.'],
            ['read-write', 'Read & write', 'All methods. For back ends alone.'],
            ['metrics', 'Metrics', 'For the metrics API. There can be one.'],
          ]}
        />
      </div>
      <KeyForm
        type={type}
        draft={draft}
        change={(part) => setDraft((before) => ({ ...before, ...part }))}
        findings={findings}
        readOnly={false}
        knownEvents={[...new Set(events)].sort()}
        apiKeyId={null}
      />
      {failure !== null && <FailureNotice failure={failure} />}
      <div class="save-bar">
        <button type="submit" class="button button-primary" disabled={busy}>
          Create key
        </button>
        <a class="button" href="#/keys">
          Cancel
        </a>
        <LiveRegion>
          {findings.length > 0 && <span class="bad">Not created: see the fields that are marked.</span>}
        </LiveRegion>
      </div>
    </form>
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
        <ShownOnce label={key.type === 'metrics' ? 'Client secret' : 'Secret'} secret={secret} />
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
