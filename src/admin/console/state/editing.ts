/** Whether anything can be changed here: not by a viewer, and not where the source of the keys is read-only. */
import { useStatus } from './status.ts';
import { user } from './session.ts';
import { useStore } from './store.ts';

const VIEWER = 'You are signed in as a viewer: you can read everything and change nothing.';

/** Whether this session may change what the process does. The source of the keys is not asked. */
export const useCanEdit = (): boolean => useStore(user)?.role === 'editor';

/** Why nothing can be changed on a page, as a sentence to show; null: it can. */
export function useReadOnly(): string | null {
  const canEdit = useCanEdit();
  const readOnly = useStatus().value?.keySource.readOnly ?? null;
  return canEdit ? readOnly : VIEWER;
}
