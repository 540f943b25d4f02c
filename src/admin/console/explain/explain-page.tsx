/** What would become of a request, step by step. A secret that is typed here is sent once and never part of the address. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Failure } from '../api/client.ts';
import { explain, listKeys } from '../api/requests.ts';
import type { Explanation, Finding, Question } from '../api/types.ts';
import { explainAddress, keepAddress, type AskedAbout } from '../route.ts';
import { useResource } from '../state/resource.ts';
import { Choice, Errors, messagesFor, SelectField, TextField, useFocusOnMistake } from '../ui/field.tsx';
import { FailureNotice } from '../ui/notice.tsx';
import { KeyChoice } from './key-choice.tsx';
import { Verdicts } from './verdicts.tsx';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const NO_FINDINGS: readonly Finding[] = [];

interface Asked {
  readonly by: 'key' | 'secret';
  readonly keyId: string;
  readonly secret: string;
  readonly ip: string;
  readonly method: string;
  readonly path: string;
  readonly events: string;
  readonly origin: string;
}

export function ExplainPage({ about }: { readonly about: AskedAbout }) {
  const keys = useResource('keys', listKeys);
  const [asked, setAsked] = useState<Asked>(() => askedOf(about));
  const [explanation, setExplanation] = useState<Explanation | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const change = (part: Partial<Asked>): void => setAsked((before) => ({ ...before, ...part }));

  const run = async (question: Asked): Promise<void> => {
    setFailure(null);
    keepAddress(explainAddress(aboutOf(question)));
    const answer = await explain(questionOf(question));
    setExplanation(answer.ok ? answer.value : null);
    if (!answer.ok) setFailure(answer.failure);
  };
  // Opened from a refusal of a known key, everything is filled in: the answer is what was asked for.
  useEffect(() => {
    if (about.keyId && about.ip && about.path) void run(asked);
  }, []);

  const ids = useMemo(
    () => [...new Set([...(keys.value?.keys ?? []).map(({ id }) => id), ...(about.keyId ? [about.keyId] : [])])],
    [keys.value, about],
  );
  const findings = failure?.findings ?? NO_FINDINGS;
  useFocusOnMistake(findings);
  return (
    <>
      <h1>Explain a request</h1>
      <p class="lead">
        Takes a made-up request through the rules and keys in use now: what would become of it. Why a request was
        refused stands in the list of refusals. No backend is asked, and nothing is counted.
      </p>
      <form
        noValidate
        class="card explain-form"
        onSubmit={(event) => {
          event.preventDefault();
          void run(asked);
        }}
      >
        <Choice
          label="Who asks"
          inline
          value={asked.by}
          onChange={(by) => change({ by })}
          options={[
            ['key', 'A key'],
            ['secret', 'A secret'],
          ]}
        />
        {asked.by === 'key' ? (
          <KeyChoice
            ids={ids}
            value={asked.keyId}
            errors={[...messagesFor(findings, 'keyId'), ...messagesFor(findings, 'key')]}
            onChange={(keyId) => change({ keyId })}
          />
        ) : (
          <TextField
            label="Secret"
            type="password"
            autocomplete="off"
            value={asked.secret}
            onChange={(secret) => change({ secret })}
            errors={messagesFor(findings, 'key')}
          />
        )}
        <TextField
          label="IP address of the caller"
          mono
          value={asked.ip}
          placeholder="203.0.113.7"
          onChange={(ip) => change({ ip })}
          errors={messagesFor(findings, 'ip')}
        />
        <SelectField
          label="Method"
          value={asked.method}
          onChange={(method) => change({ method })}
          errors={messagesFor(findings, 'method')}
          options={[...new Set([...METHODS, asked.method])].map((method) => [method, method])}
        />
        <TextField
          label="Path"
          mono
          width="wide"
          value={asked.path}
          onChange={(path) => change({ path })}
          errors={messagesFor(findings, 'path')}
        />
        <TextField
          label="Events"
          width="wide"
          value={asked.events}
          hint="Names of the events that it carries, separated by commas."
          onChange={(events) => change({ events })}
          errors={messagesFor(findings, 'events')}
        />
        <TextField
          label="Origin"
          mono
          width="wide"
          value={asked.origin}
          placeholder="https://www.example.com"
          hint="Of the web page that sends it; empty: no web page."
          onChange={(origin) => change({ origin })}
          errors={messagesFor(findings, 'origin')}
        />
        <button type="submit" class="button button-primary">
          Explain
        </button>
        <Errors messages={messagesFor(findings, '')} />
      </form>
      {failure !== null && failure.findings.length === 0 && <FailureNotice failure={failure} />}
      <div role="status" aria-live="polite">
        {explanation !== null && <Verdicts explanation={explanation} />}
      </div>
    </>
  );
}

const askedOf = ({
  keyId = '',
  ip = '',
  method = 'POST',
  path = '/',
  events = '',
  origin = '',
}: AskedAbout): Asked => ({
  by: keyId === '' && ip !== '' ? 'secret' : 'key',
  keyId,
  secret: '',
  ip,
  method,
  path,
  events,
  origin,
});

/** What is asked for is found again by Back and after a reload: all but a secret, and a query, which may hold one. */
const aboutOf = ({ by, keyId, ip, method, path, events, origin }: Asked): AskedAbout => ({
  keyId: by === 'key' ? keyId : '',
  ip: ip.trim(),
  method,
  path: path.trim().split(/[?#]/, 1)[0] ?? '',
  events: events.trim(),
  origin: origin.trim(),
});

function questionOf({ by, keyId, secret, ip, method, path, events, origin }: Asked): Question {
  const names = events.split(',').map((name) => name.trim());
  return {
    ...(by === 'secret' ? { key: secret } : { keyId: keyId.trim() }),
    ip: ip.trim(),
    method,
    path: path.trim(),
    events: names.filter((name) => name !== ''),
    origin: origin.trim() || null,
  };
}
