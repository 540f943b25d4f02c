/** One key: everything about it, and every change that can be made to it. */
import { listKeys, readKeyShown } from '../api/requests.ts';
import type { KeyStatus, Status } from '../api/types.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { useStateOfKey } from '../state/status.ts';
import { Await, Notice } from '../ui/notice.tsx';
import { eventNames } from './event-names.ts';
import { inForceOnly } from './in-force.ts';
import { InvalidKey } from './invalid-key.tsx';
import { KeyEditor } from './key-editor.tsx';

const REFRESH_MS = 10_000;

export interface KeyPageProps {
  readonly id: string;
  readonly allow: string | null;
}

export function KeyPage({ id, allow }: KeyPageProps) {
  const status = useStateOfKey(id);
  const readOnly = useReadOnly();
  const key = useResource(`key ${id}`, () => readKeyShown(id), REFRESH_MS);
  const keys = useResource('keys', listKeys);
  if (key.value === null && key.failure?.status === 404) return <NoSuchKey id={id} />;
  return (
    <Await resource={status} what="the key">
      {(read) =>
        key.value === null && key.failure?.code === 'malformed_definition' ? (
          <InvalidKey id={id} why={key.failure.detail} readOnly={readOnly} />
        ) : (
          <Await resource={key} what="the key">
            {({ value, why }) => (
              <KeyEditor
                key={id}
                stored={{ value, etag: key.etag, standsIn: why !== null }}
                {...statusOf(read, id)}
                readOnly={why === null ? readOnly : inForceOnly(why)}
                allow={allow}
                knownEvents={eventNames(keys.value)}
                onChanged={() => void Promise.all([key.reload(), status.reload()])}
              />
            )}
          </Await>
        )
      }
    </Await>
  );
}

function NoSuchKey({ id }: { readonly id: string }) {
  return (
    <>
      <h1>No such key</h1>
      <Notice kind="info">
        <p>
          There is no key <code>{id}</code>. <a href="#/keys">All keys</a>
        </p>
      </Notice>
    </>
  );
}

const statusOf = (status: Status, id: string): { readonly status: KeyStatus | null } => ({
  status: status.keys.find((key) => key.id === id) ?? null,
});
