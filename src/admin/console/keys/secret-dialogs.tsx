/** The questions before a secret is made or deleted: for how long the older ones go on, and who would be locked out. */
import { useState } from 'preact/hooks';
import { Dialog } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { LastUsed, type Secret } from './secret-table.tsx';

const UNITS = { minutes: 60, hours: 3600, days: 86_400 } as const;
type Unit = keyof typeof UNITS;

export interface RotateDialogProps {
  readonly id: string;
  readonly onCancel: () => void;
  readonly onRotate: (overlapSeconds: number) => void;
}

export function RotateDialog({ id, onCancel, onRotate }: RotateDialogProps) {
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

export interface DeleteSecretDialogProps {
  readonly keyId: string;
  readonly secret: Secret;
  readonly lastUsedAt: string | null;
  readonly onCancel: () => void;
  readonly onDelete: () => void;
}

export function DeleteSecretDialog({ keyId, secret, lastUsedAt, onCancel, onDelete }: DeleteSecretDialogProps) {
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
