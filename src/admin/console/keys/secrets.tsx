/** The secrets of a key: when each was last used and when it ends; a new one beside the old ones; one less at once. */
import { useState } from 'preact/hooks';
import type { Answer, Failure } from '../api/client.ts';
import { addSecret, deleteSecret } from '../api/requests.ts';
import type { KeyDefinition, KeyStatus } from '../api/types.ts';
import { Badge } from '../ui/badge.tsx';
import { ShownOnce } from '../ui/copy.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { FailureNotice, LiveRegion } from '../ui/notice.tsx';
import { Ago, Moment } from '../ui/time.tsx';

export interface SecretsProps {
  readonly definition: KeyDefinition;
  readonly status: KeyStatus | null;
  readonly readOnly: boolean;
  readonly onChanged: () => void;
}

type Secret = KeyDefinition['secrets'][number];

export function Secrets({ definition: { id, type, secrets }, status, readOnly, onChanged }: SecretsProps) {
  const [asking, setAsking] = useState<'rotate' | Secret | null>(null);
  const [made, setMade] = useState<string | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [said, setSaid] = useState('');

  const after = async <T,>(request: Promise<Answer<T>>, done: (value: T) => void): Promise<void> => {
    setAsking(null);
    setFailure(null);
    const answer = await request;
    if (!answer.ok) return setFailure(answer.failure);
    done(answer.value);
    onChanged();
  };
  const rotate = (overlapSeconds: number): Promise<void> =>
    after(addSecret(id, overlapSeconds), ({ secret }) => {
      setMade(secret);
      setSaid('A new secret is made. It is shown once.');
    });
  const remove = (secretId: string): Promise<void> =>
    after(deleteSecret(id, secretId), () => setSaid(`The secret ${secretId} is deleted.`));

  return (
    <section class="card" aria-labelledby="secrets">
      <div class="card-head">
        <h2 id="secrets">Secrets</h2>
        {!readOnly && (
          <button type="button" class="button" onClick={() => setAsking('rotate')}>
            Rotate
          </button>
        )}
      </div>
      <p class="hint">
        The id is how the hash of a secret begins. Last use is known since Postern started.
        {secrets.length === 1 && !readOnly && ' The last secret cannot be deleted: rotate it, or disable the key.'}
      </p>
      {failure !== null && <FailureNotice failure={failure} />}
      {made !== null && (
        <div class="made">
          <ShownOnce label={type === 'metrics' ? 'New client secret' : 'New secret'} secret={made} />
          <p>This is the only time it is shown. Store it now.</p>
          <button type="button" class="button" onClick={() => setMade(null)}>
            I have stored it
          </button>
        </div>
      )}
      <SecretTable secrets={secrets} status={status} onDelete={readOnly || secrets.length === 1 ? null : setAsking} />
      <LiveRegion>{said}</LiveRegion>
      {asking === 'rotate' && (
        <RotateDialog id={id} onCancel={() => setAsking(null)} onRotate={(seconds) => void rotate(seconds)} />
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

interface SecretTableProps {
  readonly secrets: readonly Secret[];
  readonly status: KeyStatus | null;
  readonly onDelete: ((secret: Secret) => void) | null;
}

function SecretTable({ secrets, status, onDelete }: SecretTableProps) {
  return (
    <table class="table table-cards">
      <thead>
        <tr>
          <th scope="col">Secret</th>
          <th scope="col">Last used</th>
          <th scope="col">Ends</th>
          {onDelete !== null && (
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {secrets.map((secret) => (
          <tr key={secret.id}>
            <th scope="row" class="mono">
              {secret.id}
            </th>
            <td data-label="Last used">
              <LastUsed at={lastUse(status, secret.id)} />
            </td>
            <td data-label="Ends">
              {secret.expiresAt === null ? 'Never' : <Moment at={secret.expiresAt} />}
              {secret.expiresAt !== null && Date.parse(secret.expiresAt) <= Date.now() && (
                <Badge tone="bad">Ended</Badge>
              )}
            </td>
            {onDelete !== null && (
              <td class="cell-actions">
                <button
                  type="button"
                  class="button button-danger"
                  title={`Delete secret ${secret.id}`}
                  onClick={() => onDelete(secret)}
                >
                  Delete
                </button>
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function LastUsed({ at }: { readonly at: string | null }) {
  return at === null ? <span class="muted">Not since the start</span> : <Ago at={at} />;
}

const lastUse = (status: KeyStatus | null, secretId: string): string | null =>
  status?.secrets.find(({ id }) => id === secretId)?.lastUsedAt ?? null;

const UNITS = { minutes: 60, hours: 3600, days: 86_400 } as const;
type Unit = keyof typeof UNITS;

interface RotateDialogProps {
  readonly id: string;
  readonly onCancel: () => void;
  readonly onRotate: (overlapSeconds: number) => void;
}

function RotateDialog({ id, onCancel, onRotate }: RotateDialogProps) {
  const [amount, setAmount] = useState('24');
  const [unit, setUnit] = useState<Unit>('hours');
  const seconds = Math.round(Number(amount) * UNITS[unit]);
  const valid = amount.trim() !== '' && seconds >= 0 && seconds <= 90 * UNITS.days;
  return (
    <Dialog title={`Rotate the secret of ${id}`} onClose={onCancel}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (valid) onRotate(seconds);
        }}
      >
        <p>A new secret is made. The older ones go on working for the overlap, so that clients can change over.</p>
        <div class="side-by-side">
          <TextField
            label="Overlap"
            type="number"
            min={0}
            width="narrow"
            value={amount}
            errors={valid ? [] : ['Must be a time from 0 to 90 days.']}
            onChange={setAmount}
          />
          <SelectField
            label="Unit"
            value={unit}
            onChange={setUnit}
            options={[
              ['minutes', 'minutes'],
              ['hours', 'hours'],
              ['days', 'days'],
            ]}
          />
        </div>
        {seconds === 0 && <p class="bad">The older secrets stop at once.</p>}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onCancel}>
            Cancel
          </button>
          <button type="submit" class="button button-primary" disabled={!valid}>
            Make a new secret
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface DeleteSecretDialogProps {
  readonly keyId: string;
  readonly secret: Secret;
  readonly lastUsedAt: string | null;
  readonly onCancel: () => void;
  readonly onDelete: () => void;
}

function DeleteSecretDialog({ keyId, secret, lastUsedAt, onCancel, onDelete }: DeleteSecretDialogProps) {
  return (
    <Dialog title={`Delete a secret of ${keyId}?`} onClose={onCancel}>
      <p>
        Callers that use the secret <strong class="mono">{secret.id}</strong> get 401 at once. Last used:{' '}
        <LastUsed at={lastUsedAt} />.
      </p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="button" class="button button-danger-filled" onClick={onDelete}>
          Delete {secret.id}
        </button>
      </div>
    </Dialog>
  );
}
