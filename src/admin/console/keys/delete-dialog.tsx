/** Asks before a key is deleted, and names it. */
import { Dialog } from '../ui/dialog.tsx';

export interface DeleteDialogProps {
  readonly id: string;
  readonly onCancel: () => void;
  readonly onDelete: () => void;
}

export function DeleteDialog({ id, onCancel, onDelete }: DeleteDialogProps) {
  return (
    <Dialog title={`Delete the key ${id}?`} onClose={onCancel}>
      <p>
        Callers that use <strong class="mono">{id}</strong> get 401 at once, and its secrets cannot be brought back. To
        stop it for a while, disable it instead.
      </p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="button" class="button button-danger-filled" onClick={onDelete}>
          Delete {id}
        </button>
      </div>
    </Dialog>
  );
}
