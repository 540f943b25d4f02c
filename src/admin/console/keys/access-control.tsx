/** From where a key may be used: Anywhere, or rows of addresses, each with its description. */
import { Choice, Errors, messagesFor } from '../ui/field.tsx';
import type { FormPartProps } from './draft.ts';
import { FromPolicy } from './from-policy.tsx';
import { Locations } from './locations.tsx';

export function AccessControl(part: FormPartProps) {
  const { type, draft, change, findings, readOnly, choices } = part;
  return (
    <section class="card" aria-labelledby="access-control">
      <h2 id="access-control">Access control</h2>
      <FromPolicy part={part} names={['allowFrom']} />
      <Choice
        label="From where this key may be used"
        value={draft.anywhere ? 'anywhere' : 'specific'}
        disabled={readOnly}
        onChange={(choice) => change({ anywhere: choice === 'anywhere' })}
        options={[
          ['anywhere', 'Anywhere', type === 'write-only' ? undefined : 'Whoever has the secret can use it.'],
          ['specific', 'Specific locations', 'Callers from other addresses get 403 Forbidden.'],
        ]}
      />
      {!draft.anywhere && (
        <Locations
          locations={draft.locations}
          errorsAt={(index, part) => [
            ...messagesFor(findings, `allowFrom[${index}].${part}`),
            ...(part === 'address' ? messagesFor(findings, `allowFrom[${index}]`) : []),
          ]}
          empty="No address is listed: nobody may use this key."
          lists={choices.lists}
          readOnly={readOnly}
          onChange={(locations) => change({ locations })}
        />
      )}
      <Errors messages={messagesFor(findings, 'allowFrom')} />
    </section>
  );
}
