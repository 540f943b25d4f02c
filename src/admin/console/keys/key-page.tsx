/** One key: everything about it, and every change that can be made to it. */
import { listKeys, readKey } from '../api/requests.ts';
import type { KeyDefinition, KeyStatus, Status } from '../api/types.ts';
import { useResource, type Resource } from '../state/resource.ts';
import { useStateOfKey } from '../state/status.ts';
import { Await, Notice } from '../ui/notice.tsx';
import { InvalidKey } from './invalid-key.tsx';
import { KeyEditor } from './key-editor.tsx';

export function KeyPage({ id }: { readonly id: string }) {
  const status = useStateOfKey(id);
  const key = useResource(`key ${id}`, () => readKey(id));
  const keys = useResource('keys', listKeys);
  if (key.value === null && key.failure?.status === 404) return <NoSuchKey id={id} />;
  return (
    <Await resource={status} what="the key">
      {(read) =>
        key.value === null && key.failure?.code === 'malformed_definition' ? (
          <InvalidKey id={id} why={key.failure.detail} readOnly={read.keySource.readOnly} />
        ) : (
          <Await resource={key} what="the key">
            {(definition) => (
              <KeyEditor
                key={id}
                stored={{ definition, etag: key.etag ?? '' }}
                {...statusOf(read, id)}
                readOnly={read.keySource.readOnly}
                knownEvents={eventNames(keys)}
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

const eventNames = ({ value }: Resource<{ readonly keys: readonly KeyDefinition[] }>): string[] =>
  [
    ...new Set((value?.keys ?? []).flatMap(({ allowedEvents }) => (Array.isArray(allowedEvents) ? allowedEvents : []))),
  ].sort();
