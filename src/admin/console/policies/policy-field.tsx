/** The controls of one field of a policy: those that the form of a key has for it. */
import { AccessControl } from '../keys/access-control.tsx';
import { AllowedEvents } from '../keys/allowed-events.tsx';
import { BrowserUse } from '../keys/browser-use.tsx';
import type { FormPartProps } from '../keys/draft.ts';
import { CacheTtl, Expiry, ModeChoice, RateLimit } from '../keys/limits.tsx';
import { ApiChoice, DeniedAddresses, TokenChoice } from '../keys/more-settings.tsx';
import { RouteChoice } from '../keys/route-choice.tsx';
import { Check, Choice, messagesFor, TextField } from '../ui/field.tsx';
import type { PolicyField } from './policy-draft.ts';

export interface PolicyFieldProps extends FormPartProps {
  readonly name: PolicyField;
}

export function PolicyFieldControls({ name, ...part }: PolicyFieldProps) {
  const { draft, change, findings, readOnly } = part;
  switch (name) {
    case 'description':
      return (
        <TextField
          label="Description"
          width="wide"
          value={draft.description}
          disabled={readOnly}
          errors={messagesFor(findings, 'description')}
          onChange={(description) => change({ description })}
        />
      );
    case 'enabled':
      return (
        <Check
          label="The keys are enabled"
          checked={draft.enabled}
          disabled={readOnly}
          onChange={(enabled) => change({ enabled })}
        />
      );
    case 'allowFrom':
      return <AccessControl {...part} />;
    case 'denyFrom':
      return <DeniedAddresses {...part} />;
    case 'allowedEvents':
      return <AllowedEvents {...part} knownEvents={[]} />;
    case 'disallowedEvents':
      return (
        <Choice
          label="A batch that also holds other events"
          value={draft.disallowedEvents}
          disabled={readOnly}
          onChange={(disallowedEvents) => change({ disallowedEvents })}
          options={[
            ['remove', 'Remove them'],
            ['reject', 'Reject the whole request'],
          ]}
        />
      );
    case 'allowedOrigins':
      return <BrowserUse {...part} type="write-only" />;
    case 'allowBrowsers':
      return (
        <Check
          label="Let web pages use the keys"
          checked={draft.allowBrowsers}
          disabled={readOnly}
          onChange={(allowBrowsers) => change({ allowBrowsers })}
        />
      );
    case 'rateLimit':
      return <RateLimit {...part} />;
    case 'expiresAt':
      return <Expiry {...part} />;
    case 'mode':
      return <ModeChoice {...part} />;
    case 'cacheTtlMinutes':
      return <CacheTtl {...part} />;
    case 'apis':
      return <ApiChoice {...part} />;
    case 'allowedRoutes':
      return <RouteChoice {...part} />;
    case 'accessToken':
      return <TokenChoice {...part} />;
  }
}
