/** The secrets of a key in a table: their ids, when each was last used, and when it ends. */
import type { KeyDefinition, KeyStatus } from '../api/types.ts';
import { Badge } from '../ui/badge.tsx';
import { Ago, Moment } from '../ui/time.tsx';

export type Secret = KeyDefinition['secrets'][number];

export interface SecretTableProps {
  readonly secrets: readonly Secret[];
  readonly status: KeyStatus | null;
  readonly onDelete: ((secret: Secret) => void) | null;
}

export function SecretTable({ secrets, status, onDelete }: SecretTableProps) {
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
                  class="remove"
                  aria-label={`Delete the secret ${secret.id}`}
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

export function LastUsed({ at }: { readonly at: string | null }) {
  return at === null ? <span class="muted">Not since the start</span> : <Ago at={at} />;
}

export const lastUse = (status: KeyStatus | null, secretId: string): string | null =>
  status?.secrets.find(({ id }) => id === secretId)?.lastUsedAt ?? null;
