/**
 * The state of editing one key: what is stored, what was typed, what the server said. A change that somebody else made
 * meanwhile is never overwritten and never costs what was typed here.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer, Failure } from '../api/client.ts';
import { deleteKey, readKey, replaceKey } from '../api/requests.ts';
import type { Finding, KeyDefinition } from '../api/types.ts';
import { setUnsaved } from '../route.ts';
import { announcement } from '../state/status.ts';
import { definitionOf, differences, draftOf, rebase, withoutBlankRows } from './draft.ts';
import type { Draft, FieldName } from './fields.ts';

export interface Stored {
  readonly definition: KeyDefinition;
  readonly etag: string;
}

export interface Conflict {
  /** What is stored now; null: the key is gone. */
  readonly theirs: Stored | null;
  readonly changed: readonly FieldName[];
  /** Fields that were also changed here, and not alike. */
  readonly both: readonly FieldName[];
}

export interface Editing {
  readonly base: Stored;
  readonly draft: Draft;
  readonly dirty: boolean;
  readonly busy: boolean;
  readonly findings: readonly Finding[];
  readonly failure: Failure | null;
  readonly conflict: Conflict | null;
  /** What was done last, for the live region. */
  readonly said: string;
  readonly change: (part: Partial<Draft>) => void;
  readonly save: () => Promise<void>;
  readonly setEnabled: (enabled: boolean) => Promise<void>;
  readonly remove: () => Promise<void>;
  readonly discard: () => void;
  /** Takes over what is stored now, under what was typed here. */
  readonly keepMine: () => void;
  readonly takeTheirs: () => void;
}

export function useEditing(stored: Stored, onChanged: () => void): Editing {
  const { id } = stored.definition;
  const [base, setBase] = useState(stored);
  const [draft, setDraft] = useState(() => draftOf(stored.definition));
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState(NOTHING_HAPPENED);
  const dirty = differences(draftOf(base.definition), draft).length > 0;

  useEffect(() => {
    setUnsaved(dirty ? `There are unsaved changes of the key ${id}.` : null);
    return () => setUnsaved(null);
  }, [dirty, id]);

  // What was read anew goes under what was typed, as after a rotation; if somebody changed the settings, saving tells.
  const latest = useRef({ base, draft });
  latest.current = { base, draft };
  useEffect(() => {
    const typed = latest.current;
    const { draft: joined, theirs } = rebase(typed.draft, draftOf(typed.base.definition), draftOf(stored.definition));
    const untouched = differences(draftOf(typed.base.definition), typed.draft).length === 0;
    if (untouched || theirs.length === 0) adopt(stored, joined);
  }, [stored.etag]);

  function adopt(next: Stored, over?: Draft): void {
    setBase(next);
    setDraft(over ?? draftOf(next.definition));
  }

  async function attempt<T>(request: () => Promise<Answer<T>>): Promise<Answer<T>> {
    setBusy(true);
    setOutcome(NOTHING_HAPPENED);
    const answer = await request();
    if (!answer.ok) setOutcome(await outcomeOf(answer.failure));
    setBusy(false);
    return answer;
  }

  async function outcomeOf(failure: Failure): Promise<Outcome> {
    if (failure.status === 422) return { ...NOTHING_HAPPENED, findings: failure.findings };
    if (failure.status !== 412 && failure.status !== 404) return { ...NOTHING_HAPPENED, failure };
    const now = await readKey(id);
    if (!now.ok && now.failure.status === 404)
      return { ...NOTHING_HAPPENED, conflict: { theirs: null, changed: [], both: [] } };
    if (!now.ok) return { ...NOTHING_HAPPENED, failure: now.failure };
    const { theirs: changed, both } = rebase(draft, draftOf(base.definition), draftOf(now.value));
    return {
      ...NOTHING_HAPPENED,
      conflict: { theirs: { definition: now.value, etag: now.etag ?? '' }, changed, both },
    };
  }

  async function replaceWith(next: Draft, said: string, over: (saved: Draft) => Draft): Promise<void> {
    const answer = await attempt(() => replaceKey(id, definitionOf(next, base.definition.type), base.etag));
    if (!answer.ok) return;
    adopt({ definition: answer.value, etag: answer.etag ?? '' }, over(draftOf(answer.value)));
    setOutcome({ ...NOTHING_HAPPENED, said });
    onChanged();
  }

  const rebased = (now: Draft): Draft => rebase(draft, draftOf(base.definition), now).draft;

  return {
    base,
    draft,
    dirty,
    busy,
    ...outcome,
    change: (part) => setDraft((before) => ({ ...before, ...part })),
    async save() {
      const next = withoutBlankRows(draft);
      setDraft(next);
      await replaceWith(next, 'Saved. Requests are judged by it from now on.', (saved) => saved);
    },
    setEnabled: (enabled) =>
      replaceWith({ ...draftOf(base.definition), enabled }, `The key is ${enabled ? 'enabled' : 'disabled'}.`, rebased),
    async remove() {
      const answer = await attempt(() => deleteKey(id, base.etag));
      if (!answer.ok) return;
      setUnsaved(null);
      announcement.set(`The key ${id} is deleted.`);
      location.hash = '#/keys';
    },
    discard() {
      setDraft(draftOf(base.definition));
      setOutcome({ ...NOTHING_HAPPENED, said: 'Changes discarded.' });
    },
    keepMine() {
      const theirs = outcome.conflict?.theirs;
      if (!theirs) return;
      adopt(theirs, rebased(draftOf(theirs.definition)));
      setOutcome({
        ...NOTHING_HAPPENED,
        said: 'Their changes are loaded, yours are kept. Look through them, then save.',
      });
    },
    takeTheirs() {
      if (outcome.conflict?.theirs) adopt(outcome.conflict.theirs);
      setOutcome({ ...NOTHING_HAPPENED, said: 'The key is shown as it is stored now.' });
    },
  };
}

interface Outcome {
  readonly findings: readonly Finding[];
  readonly failure: Failure | null;
  readonly conflict: Conflict | null;
  readonly said: string;
}

const NOTHING_HAPPENED: Outcome = { findings: [], failure: null, conflict: null, said: '' };
