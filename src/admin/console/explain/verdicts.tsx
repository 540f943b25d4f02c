/** The verdict of each step of a request's way, and what becomes of it in the end. */
import type { Explanation } from '../api/types.ts';
import { reasonTitle } from '../overview/names.ts';
import { keyAddress } from '../route.ts';
import { Badge, type Tone } from '../ui/badge.tsx';

type Verdict = Explanation['steps'][number]['verdict'];

const VERDICTS: Readonly<Record<Verdict, readonly [Tone, string]>> = {
  passed: ['good', 'Passed'],
  answered: ['good', 'Answered'],
  refused: ['bad', 'Refused'],
  would_reject: ['warning', 'Would be refused'],
  not_reached: ['neutral', 'Not reached'],
};

export function Verdicts({ explanation }: { readonly explanation: Explanation }) {
  const { keyId, clientAddress, chain, removedEvents, steps } = explanation;
  return (
    <section class="card card-flush" aria-labelledby="verdict">
      <div class="card-head">
        <h2 id="verdict">{endOf(explanation)}</h2>
        <Badge tone={explanation.outcome === 'allowed' ? 'good' : 'bad'}>
          {explanation.outcome === 'allowed' ? 'Allowed' : 'Refused'}
        </Badge>
      </div>
      <dl class="facts">
        <div>
          <dt>Key</dt>
          <dd class="mono">{keyId === null ? 'None recognised' : <a href={keyAddress(keyId)}>{keyId}</a>}</dd>
        </div>
        <div>
          <dt>Client address</dt>
          <dd class="mono">{clientAddress}</dd>
        </div>
        {chain.length > 0 && (
          <div>
            <dt>Forwarded chain</dt>
            <dd class="mono">{chain.join(', ')}</dd>
          </div>
        )}
        {removedEvents > 0 && (
          <div>
            <dt>Events removed</dt>
            <dd>{removedEvents}</dd>
          </div>
        )}
      </dl>
      <table class="table table-cards">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Verdict</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {steps.map(({ step, verdict, reason }) => (
            <tr key={step} class={verdict === 'not_reached' ? 'muted' : undefined}>
              <th scope="row">{step}</th>
              <td data-label="Verdict">
                <Badge tone={VERDICTS[verdict][0]}>{VERDICTS[verdict][1]}</Badge>
              </td>
              <td data-label="Why">{reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function endOf({ outcome, status, code }: Explanation): string {
  if (outcome === 'refused') return `Refused with ${status}: ${reasonTitle(code ?? '')}`;
  return status === null ? 'Passed on to the backend' : `Answered by Postern with ${status}`;
}
