/** What the pages of policies and of address lists have in common: the head with Delete, and who uses it. */
import { useState } from 'preact/hooks';
import type { UsedBy } from '../api/types.ts';
import { keyAddress, policyAddress } from '../route.ts';
import { Dialog } from './dialog.tsx';

export interface RecordHeadProps {
  readonly list: readonly [address: string, title: string];
  readonly title: string;
  readonly name: string | null;
  /** What deletes it; null: it cannot be deleted here. */
  readonly onDelete: (() => void) | null;
}

export function RecordHead({ list: [address, many], title, name, onDelete }: RecordHeadProps) {
  const [deleting, setDeleting] = useState(false);
  return (
    <div class="title-row">
      <div class="title">
        <p class="crumb">
          <a href={address}>{many}</a>
        </p>
        <h1 class={name === null ? undefined : 'mono'}>{name ?? title}</h1>
      </div>
      {onDelete !== null && (
        <div class="actions">
          <button type="button" class="button button-danger" onClick={() => setDeleting(true)}>
            Delete
          </button>
        </div>
      )}
      {deleting && onDelete !== null && (
        <Dialog title={`Delete ${name ?? ''}?`} onClose={() => setDeleting(false)}>
          <p>What is in use is not deleted. While History knows what it was, it can be made anew.</p>
          <div class="dialog-actions">
            <button type="button" class="button" onClick={() => setDeleting(false)}>
              Cancel
            </button>
            <button
              type="button"
              class="button button-danger-filled"
              onClick={() => {
                setDeleting(false);
                onDelete();
              }}
            >
              Delete {name}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

/** Who uses it, with links. */
export function Users({ usedBy: { keys, policies, configuration, total } }: { readonly usedBy: UsedBy }) {
  const more = total - keys.length - policies.length - configuration.length;
  return (
    <section class="card" aria-labelledby="used-by">
      <h2 id="used-by">Used by</h2>
      {total === 0 && <p class="muted">Nothing uses it.</p>}
      <ul class="plain-list">
        {configuration.map((field) => (
          <li key={field}>
            <code>{field}</code> of the configuration
          </li>
        ))}
        {policies.map((name) => (
          <li key={name}>
            Policy <a href={policyAddress(name)}>{name}</a>
          </li>
        ))}
        {keys.map((id) => (
          <li key={id}>
            Key <a href={keyAddress(id)}>{id}</a>
          </li>
        ))}
        {more > 0 && <li>and {more} more keys</li>}
      </ul>
    </section>
  );
}

export const usersInWords = ({ total }: UsedBy): string => (total === 0 ? 'Nobody' : String(total));
