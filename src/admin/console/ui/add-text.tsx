/** A field and a button that add one text to a list: an event name, a route. What the text has to be, the list decides. */
import { useId, useState } from 'preact/hooks';

export interface AddTextProps {
  readonly label: string;
  readonly button: string;
  readonly placeholder?: string;
  readonly hint?: string;
  /** Whether the text was taken; the field is emptied then. */
  readonly onAdd: (text: string) => boolean;
}

export function AddText({ label, button, placeholder, hint, onAdd }: AddTextProps) {
  const id = useId();
  const [text, setText] = useState('');
  const add = (): void => {
    if (onAdd(text)) setText('');
  };
  return (
    <>
      <div class="add-row">
        <div class="field">
          <label for={id}>{label}</label>
          <input
            id={id}
            class="mono"
            type="text"
            value={text}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            placeholder={placeholder}
            aria-describedby={hint === undefined ? undefined : `${id}-hint`}
            onInput={(event) => setText(event.currentTarget.value)}
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
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </>
  );
}
