/**
 * The bar that stays in view under a form: Save, and everything that comes of it. What was wrong is said here, where the button is, and
 * leads to its field.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Finding } from '../api/types.ts';
import type { Outcome } from '../state/edited.ts';
import { useStore } from '../state/store.ts';
import { texts } from './add-text.tsx';
import { firstMistake, useFocusOnMistake } from './field.tsx';
import { FailureNotice, LiveRegion, Notice } from './notice.tsx';
import { sentenceOf, titleOf } from './wording.ts';

export interface SaveBarProps {
  readonly outcome: Outcome;
  readonly busy: boolean;
  /** Whether there is anything to save. */
  readonly dirty: boolean;
  /** Whether it can be sent although nothing was typed: the server says what is missing. */
  readonly always?: boolean;
  readonly label: 'Save' | 'Create' | 'Create key';
  /** Left out: there is nothing to go back to. */
  readonly onDiscard?: () => void;
  /** Says that something was wrong with so many fields. */
  readonly notSaved: (count: number) => string;
  /** Whether a control of the form shows what was found wrong with this field. */
  readonly shows: (field: string) => boolean;
  /** What to do where no answer came; left out: as for what can be saved twice. */
  readonly unsure?: string;
  /** What to do about a change of somebody else. */
  readonly conflict?: ComponentChildren;
  readonly children?: ComponentChildren;
}

export function SaveBar(props: SaveBarProps) {
  const { outcome, busy, dirty, always = false, label, onDiscard, notSaved, shows, unsure, conflict, children } = props;
  const { findings, failure, said } = outcome;
  const typed = useStore(texts).size > 0;
  const idle = busy || !(dirty || typed || always);
  const bar = useRef<HTMLDivElement>(null);
  useHeight(bar);
  useFocusOnMistake(findings);
  return (
    <div ref={bar} class="save-bar">
      <div role="alert" class="save-bar-said">
        {findings.length > 0 && <Findings findings={findings} notSaved={notSaved} shows={shows} />}
        {failure !== null && <FailureNotice failure={failure} />}
        {outcome.unsure !== null && <Notice kind="warning">{unsure ?? UNSURE[outcome.unsure]}</Notice>}
        {outcome.conflict !== null && conflict}
      </div>
      <div class="save-bar-row">
        <button
          type="submit"
          class="button button-primary"
          // A button that is really disabled would lose the focus.
          aria-disabled={idle ? 'true' : undefined}
          onClick={(event) => idle && event.preventDefault()}
        >
          {label}
        </button>
        {onDiscard !== undefined && (
          <button type="button" class="button" disabled={busy || !dirty} onClick={onDiscard}>
            Discard changes
          </button>
        )}
        {children}
        <LiveRegion>{said || (busy ? 'Saving…' : dirty && findings.length === 0 ? 'Unsaved changes.' : '')}</LiveRegion>
      </div>
    </div>
  );
}

interface FindingsProps {
  readonly findings: readonly Finding[];
  readonly notSaved: (count: number) => string;
  readonly shows: (field: string) => boolean;
}

/** A mistake that stands at its field is named here and described there; others are described here. */
function Findings({ findings, notSaved, shows }: FindingsProps) {
  const others = findings.filter(({ field }) => !shows(field));
  const titles = [...new Set(findings.filter(({ field }) => shows(field)).map(titleOf))];
  return (
    <Notice kind="error">
      <p class="bad">{notSaved(findings.length)}</p>
      {others.length > 0 && (
        <ul class="plain-list">
          {others.map((finding) => (
            <li key={finding.field + finding.message}>{sentenceOf(finding)}</li>
          ))}
        </ul>
      )}
      {titles.length > 0 && (
        <button type="button" class="button button-small" onClick={() => firstMistake()?.focus()}>
          Go to {titles.join(', ')}
        </button>
      )}
    </Notice>
  );
}

const UNSURE = {
  waiting:
    'Postern did not answer. Whether this was saved is not known. It is read again as soon as Postern answers; what you typed is still here.',
  answered: 'Postern answers again, and your change is not there. Save once more: nothing can be made twice by that.',
} as const;

/** Fields that get the focus are scrolled to where the bar does not cover them. */
function useHeight(bar: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    if (bar.current === null) return undefined;
    const watch = new ResizeObserver(([entry]) => {
      const height = entry?.target.getBoundingClientRect().height ?? 0;
      document.documentElement.style.setProperty('--save-bar', `${Math.ceil(height)}px`);
    });
    watch.observe(bar.current);
    return () => {
      watch.disconnect();
      document.documentElement.style.removeProperty('--save-bar');
    };
  }, []);
}
