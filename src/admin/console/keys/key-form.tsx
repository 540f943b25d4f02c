/** Every setting of a key that a form can change, in the order of its sections. */
import { Errors } from '../ui/field.tsx';
import { sentenceOf } from '../ui/wording.ts';
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
      <Errors messages={findingsWithoutField(part)} />
      <AccessControl {...part} />
      {part.type === 'metrics' ? (
        <MetricsSettings {...part} apiKeyId={apiKeyId} />
      ) : (
        <AllowedEvents {...part} knownEvents={knownEvents} />
      )}
      <BrowserUse {...part} />
      <Limits {...part} />
      <MoreSettings {...part} />
    </>
  );
}

/** Findings that no control of the form shows. */
function findingsWithoutField({ findings }: FormPartProps): string[] {
  const shown: readonly string[] = [...FIELD_NAMES, 'id', 'type'];
  return findings.filter(({ field }) => !shown.includes(/^[^.[]*/.exec(field)?.[0] ?? '')).map(sentenceOf);
}
