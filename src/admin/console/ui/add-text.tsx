/**
 * A field and a button that add one text to a list: an event name, a route. What the text has to be, the list decides. What was typed
 * and not added is added when the form is sent.
 */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { setUnsaved } from '../route.ts';
import { createStore } from '../state/store.ts';
import { Errors } from './field.tsx';

/** The fields of this kind with a text that is not added yet. */
export const texts = createStore<ReadonlySet<string>>(new Set());

export interface AddTextProps {
  readonly label: string;
  readonly button: string;
  readonly placeholder?: string;
  readonly hint?: string;
  /** Why the text cannot be added; null: it was, and the field is emptied. */
  readonly onAdd: (text: string) => string | null;
}

export function AddText({ label, button, placeholder, hint, onAdd }: AddTextProps) {
  const id = useId();
  const [text, setText] = useState('');
  const [why, setWhy] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const isTyped = text.trim() !== '';
  const add = (): boolean => {
    const refused = onAdd(text);
    setWhy(refused);
    if (refused === null) setText('');
    else field.current?.focus();
    return refused === null;
  };
  useNotAdded(id, isTyped ? `“${text}” was typed and not added.` : null);
  const latest = useRef({ add, isTyped });
  latest.current = { add, isTyped };
  useEffect(() => {
    const form = field.current?.form;
    const send = (event: Event): void => {
      if (!latest.current.isTyped || latest.current.add()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    form?.addEventListener('submit', send, { capture: true });
    return () => form?.removeEventListener('submit', send, { capture: true });
  }, []);
  const described = [hint !== undefined && `${id}-hint`, why !== null && `${id}-errors`].filter(Boolean).join(' ');
  return (
    <>
      <div class="add-row">
        <div class="field">
          <label for={id}>{label}</label>
          <input
            ref={field}
            id={id}
            class="mono"
            type="text"
            value={text}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            placeholder={placeholder}
            aria-invalid={why === null ? undefined : 'true'}
            aria-describedby={described || undefined}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setWhy(null);
            }}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              // Enter adds the text; it must not save the form.
              event.preventDefault();
              add();
            }}
          />
        </div>
        <button type="button" class="button" onClick={add}>
          {button}
        </button>
      </div>
      <Errors id={`${id}-errors`} messages={why === null ? [] : [why]} />
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </>
  );
}

/** As long as there is such a text, the form can be saved, and is not left without a question. */
function useNotAdded(id: string, what: string | null): void {
  useEffect(() => {
    const tell = (is: boolean): void => {
      const others = [...texts.get()].filter((other) => other !== id);
      texts.set(new Set(is ? [...others, id] : others));
      setUnsaved(is ? what : null, id);
    };
    tell(what !== null);
    return () => tell(false);
  }, [what]);
}
