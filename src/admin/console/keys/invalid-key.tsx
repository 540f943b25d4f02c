/** A stored definition that cannot be read as a key: it can only be deleted here. */
import { useState } from 'preact/hooks';
import { deleteKey } from '../api/requests.ts';
import type { Failure } from '../api/client.ts';
import { announcement } from '../state/status.ts';
import { StateBadge } from '../ui/badge.tsx';
import { FailureNotice, Notice } from '../ui/notice.tsx';
import { DeleteDialog } from './delete-dialog.tsx';

export interface InvalidKeyProps {
  readonly id: string;
  readonly why: string;
  readonly readOnly: string | null;
}

export function InvalidKey({ id, why, readOnly }: InvalidKeyProps) {
  const [asking, setAsking] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const remove = async (): Promise<void> => {
    setAsking(false);
    const answer = await deleteKey(id, '*');
    if (!answer.ok) return setFailure(answer.failure);
    announcement.set(`The key ${id} is deleted.`);
    location.hash = '#/keys';
  };
  return (
    <>
      <div class="title-row">
        <h1 class="mono">{id}</h1>
        <StateBadge state="invalid" />
      </div>
      <Notice kind="error">{why}</Notice>
      {failure !== null && <FailureNotice failure={failure} />}
      {readOnly === null ? (
        <button type="button" class="button button-danger" onClick={() => setAsking(true)}>
          Delete key
        </button>
      ) : (
        <Notice kind="info">{readOnly}</Notice>
      )}
      {asking && <DeleteDialog id={id} onCancel={() => setAsking(false)} onDelete={() => void remove()} />}
    </>
  );
}
