/** What a page says beside its content: results, warnings, failures, and that something is still loading or not there. */
import type { ComponentChildren } from 'preact';
import type { Failure } from '../api/client.ts';
import type { Resource } from '../state/resource.ts';

export type NoticeKind = 'info' | 'good' | 'warning' | 'error';

const MARKS: Readonly<Record<NoticeKind, string>> = {
  info: 'Note',
  good: 'Done',
  warning: 'Warning',
  error: 'Error',
};

export function Notice({ kind, children }: { readonly kind: NoticeKind; readonly children: ComponentChildren }) {
  return (
    <div class={`notice notice-${kind}`}>
      <strong class="notice-kind">{MARKS[kind]}</strong>
      <div>{children}</div>
    </div>
  );
}

/** Read out when it changes. Stands in the page from the start, or screen readers miss its first text. */
export function LiveRegion({ children }: { readonly children: ComponentChildren }) {
  return (
    <div role="status" aria-live="polite" class="live-region">
      {children}
    </div>
  );
}

export function FailureNotice({ failure, retry }: { readonly failure: Failure; readonly retry?: () => void }) {
  return (
    <div role="alert">
      <Notice kind="error">
        <p>{failure.detail}</p>
        {retry !== undefined && (
          <button type="button" class="button" onClick={retry}>
            Try again
          </button>
        )}
      </Notice>
    </div>
  );
}

export interface AwaitProps<T> {
  readonly resource: Resource<T>;
  readonly what: string;
  readonly children: (value: T) => ComponentChildren;
}

/** What was read, or that it is being read, or why it could not be. What is there stays while a later attempt fails. */
export function Await<T>({ resource: { value, failure, reload }, what, children }: AwaitProps<T>) {
  if (value !== null) return <>{children(value)}</>;
  if (failure !== null) return <FailureNotice failure={failure} retry={() => void reload()} />;
  return (
    <p class="loading" role="status">
      Loading {what}…
    </p>
  );
}
