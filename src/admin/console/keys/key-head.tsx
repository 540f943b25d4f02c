/** The head of a key's page: what it is, how it stands, and what is done with it as a whole. */
import { useState } from 'preact/hooks';
import type { KeyStatus } from '../api/types.ts';
import { explainAddress } from '../route.ts';
import { Badge, StateBadge } from '../ui/badge.tsx';
import { TYPE_NAMES } from '../ui/type-names.ts';
import { DeleteDialog } from './delete-dialog.tsx';
import { keyDraftOf, type KeyEditing } from './key-subject.ts';

export interface KeyHeadProps {
  readonly editing: KeyEditing;
  readonly status: KeyStatus | null;
  readonly readOnly: boolean;
}

export function KeyHead({ editing, status, readOnly }: KeyHeadProps) {
  const [deleting, setDeleting] = useState(false);
  const { id, type, enabled, mode } = editing.base.value;
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
              onClick={() =>
                void editing.saveApart(
                  { ...keyDraftOf(editing.base.value), enabled: !enabled },
                  `The key is ${enabled ? 'disabled' : 'enabled'}.`,
                )
              }
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
