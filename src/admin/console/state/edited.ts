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
import { useForm, type Form } from './form.ts';
import type { Rebased, Stored, Subject } from './subject.ts';

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
  const form = useForm(stored, subject);
  const { base, draft, dirty, latest } = form;
  const [busy, setBusy] = useState(false);
  const settling = useSettling(form, subject, onChanged);
  const { outcome, tell, theirs } = settling;
  useUnsaved(dirty ? `There are unsaved changes of ${subject.name}.` : null);
  useFollowing(stored.standsIn && dirty ? base : stored, subject, form, () => tell({ said: subject.saved }));

  async function attempt<A>(request: () => Promise<Answer<A>>, sent: Sent<D>): Promise<Answer<A>> {
    setBusy(true);
    tell({});
    const answer = await request();
    if (!answer.ok) await settling.settle(answer.failure, sent);
    setBusy(false);
    return answer;
  }

  async function put(sent: Sent<D>, said: string): Promise<void> {
    const answer = await attempt(() => subject.put(sent.draft, latest.current.base.etag), sent);
    if (!answer.ok) return;
    form.adopt({ value: answer.value, etag: answer.etag }, sent.over(subject.draftOf(answer.value)));
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
      form.type(after);
      settling.change((told) => ({ ...told, said: '', findings: subject.findingsAfter(told.findings, before, after) }));
    },
    async save() {
      const next = subject.tidied(latest.current.draft);
      form.type(next);
      // What is typed while it is being saved stays as well.
      const over = (saved: D): D => {
        const typed = latest.current.draft;
        return subject.withHidden(subject.rebase(typed, next, saved).draft, typed);
      };
      await put({ draft: next, over }, subject.saved);
    },
    async saveApart(next, said) {
      const before = subject.draftOf(latest.current.base.value);
      await put({ draft: next, over: (saved) => subject.rebase(latest.current.draft, before, saved).draft }, said);
    },
    async remove() {
      const answer = await attempt(() => subject.remove(base.etag ?? '*'), { draft, over: (saved) => saved });
      if (answer.ok) leave(subject);
    },
    discard() {
      form.type(subject.draftOf(base.value));
      tell({ said: 'Changes discarded.' });
    },
    keepMine() {
      if (theirs === null) return;
      form.adopt(theirs, form.rebased(theirs.value).draft);
      tell({ said: 'Their changes are loaded, yours are kept. Look through them, then save.' });
    },
    takeTheirs() {
      if (theirs !== null) form.adopt(theirs);
      tell({ said: 'It is shown as it is stored now.' });
    },
  };
}

/** What was sent, and the form when that is what is stored. */
interface Sent<D> {
  readonly draft: D;
  readonly over: (saved: D) => D;
}

function leave({ name, all }: Pick<Subject<never, never>, 'name' | 'all'>): void {
  setUnsaved(null);
  announcement.set(`${name.charAt(0).toUpperCase()}${name.slice(1)} is deleted.`);
  location.hash = all;
}

/** What was read anew goes under what was typed, as after a rotation; if somebody changed what is typed into, saving tells. */
function useFollowing<T, D extends object>(
  stored: Stored<T>,
  subject: Subject<T, D>,
  { latest, adopt, rebased }: Form<T, D>,
  onSaved: () => void,
): void {
  useEffect(() => {
    const { base, draft, dirty } = latest.current;
    if (stored.etag === base.etag) return;
    const { draft: over, theirs } = rebased(stored.value);
    if (subject.differences(subject.draftOf(stored.value), draft).length === 0) {
      adopt(stored, draft);
      if (dirty) onSaved();
    } else if (!dirty || theirs.length === 0) adopt(stored, over);
  }, [stored.etag]);
}

interface Settling<T, D> {
  readonly outcome: Outcome;
  readonly tell: (part: Partial<Outcome>) => void;
  readonly change: (next: (before: Outcome) => Outcome) => void;
  /** Finds out what came of an attempt that failed. */
  readonly settle: (failure: Failure, sent: Sent<D>) => Promise<void>;
  /** What somebody else has saved. */
  readonly theirs: Stored<T> | null;
}

function useSettling<T, D extends object>(
  { latest, adopt, rebased }: Form<T, D>,
  subject: Subject<T, D>,
  onChanged: (value: T) => void,
): Settling<T, D> {
  const [outcome, setOutcome] = useState(NOTHING_HAPPENED);
  const [theirs, setTheirs] = useState<Stored<T> | null>(null);
  const unanswered = useRef<Sent<D> | null>(null);
  const tell = (part: Partial<Outcome>): void => {
    if (part.unsure !== 'waiting') unanswered.current = null;
    setOutcome({ ...NOTHING_HAPPENED, ...part });
  };

  /** Whether what is stored now tells what came of an attempt: it is what was sent, after all, or something else. */
  async function tells(sent: Sent<D>): Promise<boolean> {
    const now = await subject.read();
    const { etag } = latest.current.base;
    if (!now.ok) {
      if (now.failure.status !== 404) return false;
      if (etag !== null) tell({ conflict: { theirs: null } });
      return etag !== null;
    }
    const next = { value: now.value, etag: now.etag };
    const saved = subject.draftOf(now.value);
    if (subject.differences(saved, sent.draft).length === 0) {
      adopt(next, sent.over(saved));
      tell({ said: subject.saved });
      onChanged(now.value);
      return true;
    }
    if (now.etag === etag) return false;
    setTheirs(next);
    tell({ conflict: { theirs: inWords(subject, now.value, rebased(now.value)) } });
    return true;
  }

  /** What had not been carried out when Postern hung may be under way when it answers again. */
  async function lookAgain(sent: Sent<D>): Promise<void> {
    for (const pause of PAUSES_MS) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (unanswered.current !== sent || (await tells(sent))) return;
    }
    if (unanswered.current === sent) tell({ unsure: 'answered' });
  }

  useEffect(() => {
    if (outcome.unsure !== 'waiting') return undefined;
    return returns.subscribe(() => unanswered.current !== null && void lookAgain(unanswered.current));
  }, [outcome.unsure]);

  return {
    outcome,
    tell,
    change: setOutcome,
    theirs,
    async settle(failure, sent) {
      if (failure.status === 422) return tell({ findings: failure.findings });
      if (failure.status === 0) {
        unanswered.current = sent;
        return tell({ unsure: 'waiting' });
      }
      const mayHaveChanged = (failure.status === 412 || failure.status === 404) && latest.current.base.etag !== null;
      return mayHaveChanged && (await tells(sent)) ? undefined : tell({ failure });
    },
  };
}

/** Between one look and the next at what is stored. */
const PAUSES_MS = [0, 500, 1500, 3000];

const inWords = <T, D extends object>(
  subject: Subject<T, D>,
  now: T,
  { theirs, both }: Rebased<D>,
): Conflict['theirs'] =>
  theirs.map((field) => {
    const [title, value] = subject.words(now, field);
    return { title, value, both: both.includes(field) };
  });

/** What is lost when the page is left; null: nothing. */
export function useUnsaved(what: string | null): void {
  useEffect(() => {
    setUnsaved(what);
    return () => setUnsaved(null);
  }, [what]);
}

export const NOTHING_HAPPENED: Outcome = { findings: [], failure: null, conflict: null, unsure: null, said: '' };
