/** Every setting of a key that a form can change, in the order of its sections. */
import { AccessControl } from './access-control.tsx';
import { AllowedEvents } from './allowed-events.tsx';
import { BrowserUse } from './browser-use.tsx';
import { useChoices } from './choices.ts';
import { FIELD_NAMES, type FormPartProps } from './draft.ts';
import { Limits, MetricsSettings } from './limits.tsx';
import { MoreSettings } from './more-settings.tsx';

export interface KeyFormProps extends Omit<FormPartProps, 'choices'> {
  readonly knownEvents: readonly string[];
  readonly apiKeyId: string | null;
}

export function KeyForm({ knownEvents, apiKeyId, ...given }: KeyFormProps) {
  const part: FormPartProps = { ...given, choices: useChoices() };
  return (
    <>
      <div class="column">
        <AccessControl {...part} />
        <BrowserUse {...part} />
      </div>
      <div class="column">
        {part.type === 'metrics' ? (
          <MetricsSettings {...part} apiKeyId={apiKeyId} />
        ) : (
          <AllowedEvents {...part} knownEvents={knownEvents} />
        )}
        <Limits {...part} />
      </div>
      <MoreSettings {...part} />
    </>
  );
}

/** Whether a control of the form of a key shows what was found wrong with a field. */
export const isInKeyForm = (field: string): boolean =>
  [...FIELD_NAMES, 'id', 'type'].some((name) => name === /^[^.[]*/.exec(field)?.[0]);
