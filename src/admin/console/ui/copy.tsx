/** A secret that is shown this once, and a button that copies it. It is gone from the page with this component. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';

export interface ShownOnceProps {
  readonly label: string;
  readonly secret: string;
  /** Whether it gets the focus when it appears. */
  readonly focus?: boolean;
}

export function ShownOnce({ label, secret, focus = false }: ShownOnceProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [result, setResult] = useState('');
  useEffect(() => {
    if (focus) input.current?.focus();
  }, []);
  const copy = async (): Promise<void> => setResult((await copied(secret, input.current)) ? 'Copied.' : COPY_BY_HAND);
  return (
    <div class="shown-once">
      <label for={id}>{label}</label>
      <div class="shown-once-row">
        <input
          ref={input}
          id={id}
          class="mono"
          type="text"
          readOnly
          value={secret}
          onFocus={(e) => e.currentTarget.select()}
        />
        <button type="button" class="button" onClick={() => void copy()}>
          Copy
        </button>
      </div>
      <p role="status" class="hint">
        {result}
      </p>
    </div>
  );
}

const COPY_BY_HAND = 'This browser did not let the page copy. The text is selected: press Ctrl+C.';

/** The clipboard exists only on https and loopback; elsewhere the selected text is copied in the old way. */
async function copied(text: string, input: HTMLInputElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    input?.focus();
    input?.select();
    return document.execCommand('copy');
  }
}
