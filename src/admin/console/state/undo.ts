/**
 * What a change is to be undone with: fields as they were before, on their way from the history to the page where they are filled in.
 * Saves nothing.
 */
import { useEffect, useState } from 'preact/hooks';
import type { HistoryChange } from '../api/types.ts';

export interface Undo {
  readonly change: HistoryChange;
  /** Fields as they were. */
  readonly before: Readonly<Record<string, unknown>>;
  /** Names of fields that are not filled in. */
  readonly left: readonly string[];
}

/** Secrets are made and deleted, and never brought back; what was too long is not known. */
const isKnown = (name: string, { tooLong }: HistoryChange['fields'][string]): boolean =>
  tooLong !== true && name !== 'secrets' && name !== 'apiKey' && name !== 'invalid';

/** How a change can be undone; null: there is nothing to fill in. What was created is deleted on its own page. */
export function undoOf(change: HistoryChange): Undo | null {
  const fields = Object.entries(change.fields);
  const known = fields.filter(([name, field]) => isKnown(name, field));
  if (change.action.startsWith('create_') || known.length === 0) return null;
  return {
    change,
    before: Object.fromEntries(known.map(([name, { before }]) => [name, before])),
    left: fields.filter(([name, field]) => !isKnown(name, field)).map(([name]) => name),
  };
}

let offered: Undo | null = null;

/** The next page of this key, policy or list, or of a new one if it was deleted, fills it in. */
export const offerUndo = (undo: Undo): void => {
  offered = undo;
};

/** What is to be filled in here, once. `name`: null on the page of a new one. */
export function takeUndo(kind: HistoryChange['kind'], name: string | null): Undo | null {
  const undo = offered;
  offered = null;
  if (undo === null || undo.change.kind !== kind) return null;
  const isGone = undo.change.action.startsWith('delete_') && undo.change.action !== 'delete_secret';
  return (isGone ? name === null : name === undo.change.target) ? undo : null;
}

/** Fills in, once and unsaved, what is to be undone here. */
export function useUndo(kind: HistoryChange['kind'], name: string | null, fill: (undo: Undo) => void): Undo | null {
  const [undo] = useState(() => takeUndo(kind, name));
  useEffect(() => {
    if (undo !== null) fill(undo);
  }, []);
  return undo;
}

/** Something with fields as they were before. What it did not say then, it does not say now. */
export function withBefore<T extends object>(value: T, before: Undo['before']): T {
  const fields = Object.entries({ ...value, ...before });
  const isSaid = ([name, field]: [string, unknown]): boolean => field !== null || !(name in before);
  return Object.fromEntries(fields.filter(isSaid)) as T;
}
