/** What is stored, as far as is known here, and what was typed on top of it. Saves nothing. */
import { useRef, useState } from 'preact/hooks';
import type { Rebased, Stored, Subject } from './subject.ts';

export interface Form<T, D> {
  readonly base: Stored<T>;
  readonly draft: D;
  readonly dirty: boolean;
  /** Also what was typed since the page was last drawn: a field may add its text when Save is pressed. */
  readonly latest: { current: { readonly base: Stored<T>; readonly draft: D; readonly dirty: boolean } };
  readonly type: (next: D) => void;
  readonly adopt: (next: Stored<T>, over?: D) => void;
  /** What was typed, on top of this. */
  readonly rebased: (now: T) => Rebased<D>;
}

export function useForm<T, D extends object>(stored: Stored<T>, subject: Subject<T, D>): Form<T, D> {
  const [base, setBase] = useState(stored);
  const [draft, setDraft] = useState(() => subject.draftOf(stored.value));
  const dirty = subject.differences(subject.draftOf(base.value), draft).length > 0;
  const latest = useRef({ base, draft, dirty });
  latest.current = { base, draft, dirty };
  const type = (next: D): void => {
    latest.current = { ...latest.current, draft: next };
    setDraft(next);
  };
  return {
    base,
    draft,
    dirty,
    latest,
    type,
    adopt(next, over) {
      latest.current = { ...latest.current, base: next };
      setBase(next);
      type(over ?? subject.draftOf(next.value));
    },
    rebased: (now) =>
      subject.rebase(latest.current.draft, subject.draftOf(latest.current.base.value), subject.draftOf(now)),
  };
}
