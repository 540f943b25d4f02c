/** Whether web pages may use a key, and those of which origins. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Check, Choice, Errors, messagesFor, TextField } from '../ui/field.tsx';
import type { FormPartProps } from './draft.ts';
import { FromPolicy } from './from-policy.tsx';

export function BrowserUse(props: FormPartProps) {
  const { type, draft, change, readOnly, findings } = props;
  return (
    <section class="card" aria-labelledby="browser-use">
      <h2 id="browser-use">{type === 'write-only' ? 'Origins' : 'Browser use'}</h2>
      <FromPolicy part={props} names={['allowedOrigins', 'allowBrowsers']} />
      {type === 'write-only' ? (
        <Origins {...props} />
      ) : (
        <>
          <Check
            label="Let web pages use this key"
            hint="A page cannot keep a secret: everybody who opens it can read the key. Leave this off for back ends."
            checked={draft.allowBrowsers}
            disabled={readOnly}
            onChange={(allowBrowsers) => change({ allowBrowsers })}
          />
          <Errors messages={messagesFor(findings, 'allowBrowsers')} />
          {draft.allowBrowsers && <Origins {...props} />}
        </>
      )}
    </section>
  );
}

function Origins({ draft, change, findings, readOnly }: FormPartProps) {
  const { origins } = draft;
  const list = useRef<HTMLUListElement>(null);
  const add = useRef<HTMLButtonElement>(null);
  const focus = useRef<'last row' | 'add' | null>(null);
  // Before the next key press arrives, which is meant for the field that has just appeared.
  useLayoutEffect(() => {
    if (focus.current === 'last row') list.current?.querySelector<HTMLInputElement>('li:last-child input')?.focus();
    if (focus.current === 'add') add.current?.focus();
    focus.current = null;
  }, [origins.length]);
  return (
    <>
      <Choice
        label="Whose web pages may use this key"
        value={draft.anyOrigin ? 'any' : 'listed'}
        disabled={readOnly}
        onChange={(choice) => change({ anyOrigin: choice === 'any' })}
        options={[
          ['any', 'Any origin'],
          ['listed', 'Listed origins', 'None listed: no web page at all.'],
        ]}
      />
      {!draft.anyOrigin && (
        <div class="rows">
          <ul ref={list} class="row-list">
            {origins.map((origin, index) => (
              <li key={index} class="row row-single">
                <TextField
                  label={`Origin ${index + 1}`}
                  value={origin}
                  mono
                  disabled={readOnly}
                  width="wide"
                  placeholder="https://www.example.com"
                  errors={messagesFor(findings, `allowedOrigins[${index}]`)}
                  onChange={(text) => change({ origins: origins.map((other, at) => (at === index ? text : other)) })}
                />
                {!readOnly && (
                  <button
                    type="button"
                    class="remove"
                    aria-label={`Remove ${origin || 'the blank row'}`}
                    onClick={() => {
                      focus.current = 'add';
                      change({ origins: origins.filter((_, at) => at !== index) });
                    }}
                  >
                    Remove
                  </button>
                )}
              </li>
            ))}
          </ul>
          {!readOnly && (
            <button
              ref={add}
              type="button"
              class="button"
              onClick={() => {
                focus.current = 'last row';
                change({ origins: [...origins, ''] });
              }}
            >
              Add origin
            </button>
          )}
        </div>
      )}
      <Errors messages={messagesFor(findings, 'allowedOrigins')} />
    </>
  );
}
