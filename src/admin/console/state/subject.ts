/** Something that can be edited in a form: how it is read, saved and compared. Types alone. */
import type { Answer } from '../api/client.ts';
import type { Finding } from '../api/types.ts';

export interface Stored<T> {
  readonly value: T;
  /** null: it is new, and stored nowhere yet. */
  readonly etag: string | null;
  /** It is shown in place of what cannot be read now, and says nothing about what was typed. */
  readonly standsIn?: boolean;
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
