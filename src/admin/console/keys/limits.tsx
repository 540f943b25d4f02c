/** How much, how long and how strictly: rate limit, expiry, report mode, and the cache of the metrics key. */
import { CACHE_TTL_MINUTES } from '../../../keys/key.ts';
import { Check, Choice, Errors, messagesFor, messagesWithin, TextField } from '../ui/field.tsx';
import type { FormPartProps } from './draft.ts';
import { FromPolicy } from './from-policy.tsx';

export function Limits(part: FormPartProps) {
  return (
    <section class="card" aria-labelledby="limits">
      <h2 id="limits">Limits and mode</h2>
      <FromPolicy part={part} names={['rateLimit', 'expiresAt', 'mode']} />
      <RateLimit {...part} />
      <Expiry {...part} />
      <ModeChoice {...part} />
    </section>
  );
}

export function RateLimit({ draft, change, findings, readOnly }: FormPartProps) {
  return (
    <>
      <Check
        label="Limit the rate of requests"
        hint="Further requests get 429 Too Many Requests."
        checked={draft.limited}
        disabled={readOnly}
        onChange={(limited) => change({ limited })}
      />
      {draft.limited && (
        <div class="inset side-by-side">
          <TextField
            label="Requests"
            type="number"
            min={1}
            width="narrow"
            value={draft.requests}
            disabled={readOnly}
            errors={messagesFor(findings, 'rateLimit.requests')}
            onChange={(requests) => change({ requests })}
          />
          <TextField
            label="Window (seconds)"
            type="number"
            min={1}
            width="narrow"
            value={draft.windowSeconds}
            disabled={readOnly}
            errors={messagesFor(findings, 'rateLimit.windowSeconds')}
            onChange={(windowSeconds) => change({ windowSeconds })}
          />
        </div>
      )}
      <Errors messages={messagesFor(findings, 'rateLimit')} />
    </>
  );
}

export function Expiry({ draft, change, findings, readOnly }: FormPartProps) {
  return (
    <>
      <Check
        label="The key expires"
        checked={draft.expires}
        disabled={readOnly}
        onChange={(expires) => change({ expires, expiresAt: draft.expiresAt || inAYear() })}
      />
      {draft.expires && (
        <div class="inset">
          <TextField
            label="Expires at (UTC)"
            type="datetime-local"
            step={1}
            value={inputValueOf(draft.expiresAt)}
            disabled={readOnly}
            errors={messagesWithin(findings, 'expiresAt')}
            onChange={(value) => change({ expiresAt: value === '' ? '' : instantIn(value) })}
          />
        </div>
      )}
    </>
  );
}

export function ModeChoice({ draft, change, readOnly }: FormPartProps) {
  return (
    <Choice
      label="What becomes of requests that break a rule of this key"
      value={draft.mode}
      disabled={readOnly}
      onChange={(mode) => change({ mode })}
      options={[
        ['enforce', 'Refuse them'],
        ['report', 'Report only', 'They are passed on. The overview shows what would have been refused.'],
      ]}
    />
  );
}

export interface MetricsSettingsProps extends FormPartProps {
  /** Of the API key that is set; null on a new key. */
  readonly apiKeyId: string | null;
}

export function MetricsSettings({ apiKeyId, ...part }: MetricsSettingsProps) {
  const { draft, change, findings, readOnly } = part;
  return (
    <section class="card" aria-labelledby="metrics-settings">
      <h2 id="metrics-settings">Metrics API</h2>
      <CacheTtl {...part} />
      {!readOnly && (
        <TextField
          label={apiKeyId === null ? 'API key' : 'Replace the API key'}
          type="password"
          autocomplete="off"
          value={draft.apiKey}
          hint={
            apiKeyId === null
              ? 'Sent by clients beside the client secret. Leave it empty to have one made.'
              : `Its hash begins with ${apiKeyId}. Leave this empty to keep it.`
          }
          errors={messagesWithin(findings, 'apiKey')}
          onChange={(apiKey) => change({ apiKey })}
        />
      )}
    </section>
  );
}

export function CacheTtl({ draft, change, findings, readOnly }: FormPartProps) {
  return (
    <TextField
      label="Cache TTL (minutes)"
      type="number"
      min={CACHE_TTL_MINUTES.least}
      step={1}
      value={draft.cacheTtlMinutes}
      disabled={readOnly}
      hint={`How long a query result is kept: at least ${CACHE_TTL_MINUTES.least} minutes. Another body is another result.`}
      errors={messagesFor(findings, 'cacheTtlMinutes')}
      onChange={(cacheTtlMinutes) => change({ cacheTtlMinutes })}
    />
  );
}

/** `datetime-local` knows no zone; the fields are labelled UTC. */
function inputValueOf(instant: string): string {
  const at = Date.parse(instant);
  return Number.isNaN(at) ? '' : new Date(at).toISOString().slice(0, 19);
}

function instantIn(value: string): string {
  const at = Date.parse(`${value}Z`);
  return Number.isNaN(at) ? value : `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function inAYear(): string {
  const date = new Date();
  date.setUTCFullYear(date.getUTCFullYear() + 1);
  return `${date.toISOString().slice(0, 10)}T00:00:00Z`;
}
