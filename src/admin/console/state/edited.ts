/**
 * The state of editing a key, a policy or an address list: what is stored, what was typed, what the server said. A change that
 * somebody else made meanwhile is never overwritten and never costs what was typed here; what got no answer is asked for again.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer, Failure } from '../api/client.ts';
import type { Finding } from '../api/types.ts';
import { setUnsaved } from '../route.ts';
import { returns } from './connection.ts';
import { announcement } from './status.ts';

export interface Stored<T> {
  readonly value: T;
  /** null: it is new, and stored nowhere yet. */
  readonly etag: string | null;
}

export interface Rebased<D> {
  /** What was typed here, on top of what was saved elsewhere. */
  readonly draft: D;
  /** Fields that were saved elsewhere since. */
  readonly theirs: readonly string[];
  /** Fields that were changed here and elsewhere, and not alike. */
  readonly both: readonly string[];
}

/** What is edited. */
export interface Subject<T, D extends object> {
  /** Such as `the key web`. */
  readonly name: string;
  /** What is said when it was saved. */
  readonly saved: string;
  readonly draftOf: (value: T) => D;
  /** Without rows that nothing was typed into. */
  readonly tidied: (draft: D) => D;
  /** A form as it was saved, with what was typed into parts that are switched off: switched on again, it is still there. */
  readonly withHidden: (saved: D, typed: D) => D;
  /** The fields in which two forms differ. */
  readonly differences: (one: D, other: D) => readonly string[];
  readonly rebase: (typed: D, base: D, now: D) => Rebased<D>;
  readonly findingsAfter: (findings: readonly Finding[], before: D, after: D) => readonly Finding[];
  /** A field and its value in words. */
  readonly words: (value: T, field: string) => readonly [title: string, value: string];
  readonly read: () => Promise<Answer<T>>;
  readonly put: (draft: D, etag: string | null) => Promise<Answer<T>>;
  readonly remove: (etag: string) => Promise<Answer<void>>;
  /** The address of the page of all of them. */
  readonly all: string;
}

export interface Conflict {
  /** What is stored now, field by field; null: it is gone. */
  readonly theirs: readonly { readonly title: string; readonly value: string; readonly both: boolean }[] | null;
}

export interface Outcome {
  readonly findings: readonly Finding[];
  readonly failure: Failure | null;
  readonly conflict: Conflict | null;
  /** No answer came, so that it is not known whether this was saved; `answered`: what is stored was read since, and it is not there. */
  readonly unsure: 'waiting' | 'answered' | null;
  /** What was done last, for the live region. */
  readonly said: string;
}

export interface Editing<T, D extends object> extends Outcome {
  readonly base: Stored<T>;
  readonly draft: D;
  readonly dirty: boolean;
  readonly busy: boolean;
  readonly change: (part: Partial<D>) => void;
  readonly save: () => Promise<void>;
  /** Saves another form than the one that is typed into, which stays. */
  readonly saveApart: (draft: D, said: string) => Promise<void>;
  readonly remove: () => Promise<void>;
  readonly discard: () => void;
  /** Takes over what is stored now, under what was typed here. */
  readonly keepMine: () => void;
  readonly takeTheirs: () => void;
}

export function useEditing<T, D extends object>(
  stored: Stored<T>,
  subject: Subject<T, D>,
  onChanged: (value: T) => void,
): Editing<T, D> {
  const [base, setBase] = useState(stored);
  const [draft, setDraft] = useState(() => subject.draftOf(stored.value));
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState(NOTHING_HAPPENED);
  const [theirs, setTheirs] = useState<Stored<T> | null>(null);
  const dirty = subject.differences(subject.draftOf(base.value), draft).length > 0;
  // Also what was typed since the page was last drawn: a field may add its text when Save is pressed.
  const latest = useRef({ base, draft, dirty });
  latest.current = { base, draft, dirty };
  useUnsaved(dirty ? `There are unsaved changes of ${subject.name}.` : null);

  const tell = (part: Partial<Outcome>): void => setOutcome({ ...NOTHING_HAPPENED, ...part });
  const type = (next: D): void => {
    latest.current = { ...latest.current, draft: next };
    setDraft(next);
  };
  function adopt(next: Stored<T>, over?: D): void {
    latest.current = { ...latest.current, base: next };
    setBase(next);
    type(over ?? subject.draftOf(next.value));
  }
  const rebased = (now: T): Rebased<D> =>
    subject.rebase(latest.current.draft, subject.draftOf(latest.current.base.value), subject.draftOf(now));

  // What was read anew goes under what was typed, as after a rotation; if somebody changed what is typed into, saving tells.
  useEffect(() => {
    if (stored.etag === latest.current.base.etag) return;
    const { draft: over, theirs: changed } = rebased(stored.value);
    if (subject.differences(subject.draftOf(stored.value), latest.current.draft).length === 0) {
      adopt(stored, latest.current.draft);
      if (latest.current.dirty) tell({ said: subject.saved });
    } else if (!latest.current.dirty || changed.length === 0) adopt(stored, over);
  }, [stored.etag]);

  async function attempt<A>(request: () => Promise<Answer<A>>, sent: D): Promise<Answer<A>> {
    setBusy(true);
    tell({});
    const answer = await request();
    if (!answer.ok) await settle(answer.failure, sent);
    setBusy(false);
    return answer;
  }

  async function settle(failure: Failure, sent: D): Promise<void> {
    if (failure.status === 422) return tell({ findings: failure.findings });
    if (failure.status === 0) return tell({ unsure: 'waiting' });
    const mayHaveChanged = (failure.status === 412 || failure.status === 404) && latest.current.base.etag !== null;
    return mayHaveChanged ? compare(sent) : tell({ failure });
  }

  /** Reads what is stored now: what was sent, after all, or something else. */
  async function compare(sent: D, isWaiting = false): Promise<void> {
    const now = await subject.read();
    if (!now.ok) {
      if (now.failure.status !== 404) return tell(isWaiting ? { unsure: 'waiting' } : { failure: now.failure });
      return latest.current.base.etag === null ? tell({ unsure: 'answered' }) : tell({ conflict: { theirs: null } });
    }
    const next = { value: now.value, etag: now.etag };
    if (subject.differences(subject.draftOf(now.value), sent).length === 0) {
      adopt(next, subject.withHidden(subject.draftOf(now.value), sent));
      tell({ said: subject.saved });
      return onChanged(now.value);
    }
    if (isWaiting && now.etag === latest.current.base.etag) return tell({ unsure: 'answered' });
    const { theirs: changed, both } = rebased(now.value);
    setTheirs(next);
    const inWords = changed.map((field) => {
      const [title, value] = subject.words(now.value, field);
      return { title, value, both: both.includes(field) };
    });
    return tell({ conflict: { theirs: inWords } });
  }

  useEffect(() => {
    if (outcome.unsure !== 'waiting') return undefined;
    return returns.subscribe(() => void compare(subject.tidied(latest.current.draft), true));
  }, [outcome.unsure]);

  async function put(next: D, said: string, over: (saved: D) => D): Promise<void> {
    const answer = await attempt(() => subject.put(next, latest.current.base.etag), next);
    if (!answer.ok) return;
    adopt({ value: answer.value, etag: answer.etag }, over(subject.draftOf(answer.value)));
    tell({ said });
    onChanged(answer.value);
  }

  return {
    base,
    draft,
    dirty,
    busy,
    ...outcome,
    change(part) {
      const before = latest.current.draft;
      const after = { ...before, ...part };
      type(after);
      setOutcome((told) => ({ ...told, said: '', findings: subject.findingsAfter(told.findings, before, after) }));
    },
    async save() {
      const next = subject.tidied(latest.current.draft);
      type(next);
      await put(next, subject.saved, (saved) => subject.withHidden(saved, next));
    },
    async saveApart(next, said) {
      const { base: before, draft: typed } = latest.current;
      await put(next, said, (saved) => subject.rebase(typed, subject.draftOf(before.value), saved).draft);
    },
    async remove() {
      const answer = await attempt(() => subject.remove(base.etag ?? '*'), draft);
      if (!answer.ok) return;
      setUnsaved(null);
      announcement.set(`${subject.name.charAt(0).toUpperCase()}${subject.name.slice(1)} is deleted.`);
      location.hash = subject.all;
    },
    discard() {
      type(subject.draftOf(base.value));
      tell({ said: 'Changes discarded.' });
    },
    keepMine() {
      if (theirs === null) return;
      adopt(theirs, rebased(theirs.value).draft);
      tell({ said: 'Their changes are loaded, yours are kept. Look through them, then save.' });
    },
    takeTheirs() {
      if (theirs !== null) adopt(theirs);
      tell({ said: 'It is shown as it is stored now.' });
    },
  };
}

/** What is lost when the page is left; null: nothing. */
export function useUnsaved(what: string | null): void {
  useEffect(() => {
    setUnsaved(what);
    return () => setUnsaved(null);
  }, [what]);
}

export const NOTHING_HAPPENED: Outcome = { findings: [], failure: null, conflict: null, unsure: null, said: '' };
