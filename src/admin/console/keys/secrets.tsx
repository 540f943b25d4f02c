/** The secrets of a key: when each was last used and when it ends; a new one beside the old ones; one less at once. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Failure } from '../api/client.ts';
import { addSecret, deleteSecret, randomName } from '../api/requests.ts';
import type { KeyDefinition, KeyStatus } from '../api/types.ts';
import { setUnsaved } from '../route.ts';
import { ShownOnce } from '../ui/copy.tsx';
import { FailureNotice, LiveRegion, Notice } from '../ui/notice.tsx';
import { DeleteSecretDialog, RotateDialog } from './secret-dialogs.tsx';
import { lastUse, SecretTable, type Secret } from './secret-table.tsx';

export interface SecretsProps {
  readonly definition: KeyDefinition;
  readonly status: KeyStatus | null;
  readonly readOnly: boolean;
  readonly onChanged: () => void;
}

export function Secrets({ definition: { id, type, secrets }, status, readOnly, onChanged }: SecretsProps) {
  const [asking, setAsking] = useState<'rotate' | Secret | null>(null);
  const [made, setMade] = useState<string | null>(null);
  const [unsure, setUnsure] = useState<Rotation | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  const rotateButton = useRef<HTMLButtonElement>(null);
  useNotStored(id, made !== null || unsure !== null);

  const rotate = async (rotation: Rotation): Promise<void> => {
    setAsking(null);
    setFailure(null);
    setBusy(true);
    const answer = await addSecret(id, rotation.overlapSeconds, rotation.name);
    setBusy(false);
    const answered = answer.ok || answer.failure.status !== 0;
    setUnsure(answered ? null : rotation);
    if (!answer.ok) return answered ? setFailure(answer.failure) : undefined;
    setMade(answer.value.secret);
    setSaid('A new secret is made. It is shown once.');
    return onChanged();
  };
  const remove = async (secretId: string): Promise<void> => {
    setAsking(null);
    setFailure(null);
    const answer = await deleteSecret(id, secretId);
    if (!answer.ok) return setFailure(answer.failure);
    setSaid(`The secret ${secretId} is deleted.`);
    return onChanged();
  };
  const stored = (): void => {
    setMade(null);
    setSaid('');
    rotateButton.current?.focus();
  };

  return (
    <section class="card" aria-labelledby="secrets">
      <div class="card-head">
        <h2 id="secrets">Secrets</h2>
        {!readOnly && (
          <button
            ref={rotateButton}
            type="button"
            class="button"
            aria-disabled={busy || unsure !== null ? 'true' : undefined}
            onClick={() => !busy && unsure === null && setAsking('rotate')}
          >
            Rotate
          </button>
        )}
      </div>
      <p class="hint">
        The id is how the hash of a secret begins. Last use is known since Postern started.
        {secrets.length === 1 && !readOnly && ' The last secret cannot be deleted: rotate it, or disable the key.'}
      </p>
      {failure !== null && <FailureNotice failure={failure} />}
      {unsure !== null && <UnsureRotation busy={busy} onAsk={() => void rotate(unsure)} />}
      {made !== null && (
        <div class="made">
          <ShownOnce label={type === 'metrics' ? 'New client secret' : 'New secret'} secret={made} focus />
          <p>This is the only time it is shown. Store it now.</p>
          <button type="button" class="button" onClick={stored}>
            I have stored it
          </button>
        </div>
      )}
      <SecretTable secrets={secrets} status={status} onDelete={readOnly || secrets.length === 1 ? null : setAsking} />
      <LiveRegion>{said}</LiveRegion>
      {asking === 'rotate' && (
        <RotateDialog
          id={id}
          onCancel={() => setAsking(null)}
          onRotate={(overlapSeconds) => void rotate({ overlapSeconds, name: randomName() })}
        />
      )}
      {asking !== null && asking !== 'rotate' && (
        <DeleteSecretDialog
          keyId={id}
          secret={asking}
          lastUsedAt={lastUse(status, asking.id)}
          onCancel={() => setAsking(null)}
          onDelete={() => void remove(asking.id)}
        />
      )}
    </section>
  );
}

/** What was asked for, so that it can be asked for again. */
interface Rotation {
  readonly overlapSeconds: number;
  readonly name: string;
}

function UnsureRotation({ busy, onAsk }: { readonly busy: boolean; readonly onAsk: () => void }) {
  return (
    <div role="alert">
      <Notice kind="warning">
        <p>
          Postern did not answer. Whether a new secret was made is not known. Ask again, within ten minutes and before
          you leave this page: if it was made, you get that one, and else one is made now.
        </p>
        <button type="button" class="button" disabled={busy} onClick={onAsk}>
          Ask again for the secret
        </button>
      </Notice>
    </div>
  );
}

/** A secret that is shown once is not left behind without a question. */
function useNotStored(id: string, is: boolean): void {
  useEffect(() => {
    setUnsaved(
      is ? `The new secret of the key ${id} is shown this once, and you have not said that it is stored.` : null,
      'secret',
    );
    return () => setUnsaved(null, 'secret');
  }, [is, id]);
}
