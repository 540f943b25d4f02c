/** What a plain key leaves at its default: policy, APIs, routes, denied addresses, access tokens. Open only where something is set. */
import { useState } from 'preact/hooks';
import { Check, Choice, Errors, messagesFor, messagesWithin, SelectField } from '../ui/field.tsx';
import { NEW_DRAFT, differences, type FormPartProps } from './draft.ts';
import { FromPolicy } from './from-policy.tsx';
import type { FieldName } from './fields.ts';
import { Locations } from './locations.tsx';
import { RouteChoice } from './route-choice.tsx';

const MORE: readonly FieldName[] = ['policy', 'apis', 'allowedRoutes', 'denyFrom', 'accessToken'];

export function MoreSettings(part: FormPartProps) {
  const { draft, findings, type } = part;
  const usual = { ...NEW_DRAFT, ...(type === 'metrics' && { apis: draft.apis, accessToken: draft.accessToken }) };
  const isUsual = differences({ ...usual, accessToken: draft.accessToken }, draft).every(
    (name) => !MORE.includes(name),
  );
  const tokensAreUsual =
    draft.accessToken === null || draft.accessToken === (type === 'metrics' ? 'required' : 'allowed');
  const hasFindings = findings.some(({ field }) => MORE.some((name) => field.startsWith(name)));
  const [opened, setOpened] = useState(!isUsual || !tokensAreUsual);
  return (
    <details
      class="card more-settings"
      open={opened || hasFindings}
      onToggle={(event) => setOpened(event.currentTarget.open)}
    >
      <summary>More settings: policy, APIs, routes, denied addresses, access tokens</summary>
      <FromPolicy part={part} names={['apis', 'allowedRoutes', 'denyFrom', 'accessToken']} />
      <PolicyChoice {...part} />
      <ApiChoice {...part} />
      <RouteChoice {...part} />
      <DeniedAddresses {...part} />
      <TokenChoice {...part} />
    </details>
  );
}

function PolicyChoice({ draft, change, findings, readOnly, choices }: FormPartProps) {
  const names = [...new Set([...(draft.policy === null ? [] : [draft.policy]), ...choices.policies])];
  return (
    <div class="subsection">
      <h3>Policy</h3>
      <SelectField
        label="Shares the fields of"
        value={draft.policy ?? ''}
        disabled={readOnly}
        errors={messagesWithin(findings, 'policy')}
        onChange={(name) => change({ policy: name === '' ? null : name })}
        options={[['', 'No policy'], ...names.map((name) => [name, name] as const)]}
      />
      <p class="hint">
        What this key says itself is stronger. What it does not say follows the policy when that changes.
      </p>
    </div>
  );
}

export function ApiChoice({ type, draft, change, findings, readOnly, choices }: FormPartProps) {
  if (type === 'metrics') return null;
  const { apis } = draft;
  const names = [...new Set([...choices.apis.map(({ name }) => name), ...(apis === 'all' ? [] : apis)])];
  return (
    <div class="subsection">
      <h3>APIs</h3>
      <Choice
        label="Which APIs this key is for"
        value={apis === 'all' ? 'all' : 'listed'}
        disabled={readOnly}
        onChange={(choice) => change({ apis: choice === 'all' ? 'all' : names.filter((name) => name !== 'metrics') })}
        options={[
          ['all', 'Every API but metrics'],
          ['listed', 'Only chosen APIs', 'In the others the key is unknown.'],
        ]}
      />
      {apis !== 'all' &&
        names.map((name) => (
          <Check
            key={name}
            label={name}
            checked={apis.includes(name)}
            disabled={readOnly}
            onChange={(on) => change({ apis: on ? [...apis, name] : apis.filter((other) => other !== name) })}
          />
        ))}
      <Errors messages={messagesWithin(findings, 'apis')} />
    </div>
  );
}

export function DeniedAddresses({ draft, change, findings, readOnly, choices }: FormPartProps) {
  return (
    <div class="subsection">
      <h3>Denied addresses</h3>
      <p class="hint">From these the key is refused, whatever Access control lists.</p>
      <Locations
        locations={draft.denied}
        errorsAt={(index, part) => [
          ...messagesFor(findings, `denyFrom[${index}].${part}`),
          ...(part === 'address' ? messagesFor(findings, `denyFrom[${index}]`) : []),
        ]}
        empty={null}
        lists={choices.lists}
        readOnly={readOnly}
        onChange={(denied) => change({ denied })}
      />
      <Errors messages={messagesFor(findings, 'denyFrom')} />
    </div>
  );
}

export function TokenChoice({ type, draft, change, findings, readOnly }: FormPartProps) {
  return (
    <div class="subsection">
      <h3>Access tokens</h3>
      <Choice
        label="Where an API issues access tokens"
        value={draft.accessToken ?? (type === 'metrics' ? 'required' : 'allowed')}
        disabled={readOnly}
        onChange={(accessToken) => change({ accessToken })}
        options={[
          ['allowed', 'The secret or a token'],
          ['required', 'A token alone', 'The secret is only good for getting one.'],
          ['never', 'The secret alone'],
        ]}
      />
      <Errors messages={messagesFor(findings, 'accessToken')} />
    </div>
  );
}
