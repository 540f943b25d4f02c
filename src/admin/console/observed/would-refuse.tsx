/** Before a change is saved: what it would have refused of the good traffic that was observed. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { askWhatIf } from '../api/requests.ts';
import type { WhatIf } from '../api/types.ts';
import { definitionOf, withoutBlankRows } from '../keys/draft.ts';
import type { KeyEditing } from '../keys/key-subject.ts';
import { reasonTitle } from '../overview/names.ts';
import { LiveRegion } from '../ui/notice.tsx';
import { Moment } from '../ui/time.tsx';

/** A change that is still being typed is not asked about. */
const PAUSE_MS = 400;
/** As many lines as are shown at once. */
const MOST_SHOWN = 20;

export function WouldRefuse({ editing: { base, draft, dirty } }: { readonly editing: KeyEditing }) {
  const { id } = base.value;
  const [answer, setAnswer] = useState<WhatIf | null>(null);
  const latest = useRef(0);
  const asked = JSON.stringify(definitionOf(withoutBlankRows(draft), draft.type));
  useEffect(() => {
    const attempt = ++latest.current;
    if (!dirty) return setAnswer(null);
    const timer = setTimeout(async () => {
      const told = await askWhatIf(id, JSON.parse(asked) as ReturnType<typeof definitionOf>);
      // A definition that cannot be saved is told of by Save.
      if (attempt === latest.current) setAnswer(told.ok ? told.value : null);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [asked, dirty, id]);
  return (
    <LiveRegion>
      {answer !== null && answer.wouldRefuse.length === 0 && (
        <p>
          {answer.requests === 0
            ? 'Nothing good was observed of this key: what the change would refuse is not known.'
            : `Of the ${answer.requests} good requests observed, this change would have refused none.`}
        </p>
      )}
      {answer !== null && answer.wouldRefuse.length > 0 && <Refused answer={answer} />}
    </LiveRegion>
  );
}

function Refused({ answer: { requests, wouldRefuse } }: { readonly answer: WhatIf }) {
  const shown = wouldRefuse.slice(0, MOST_SHOWN);
  const left = wouldRefuse.length - shown.length;
  return (
    <div class="card">
      <p class="bad">Of the {requests} good requests observed, this change would have refused:</p>
      <table class="table table-cards">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Reason</th>
            <th scope="col">Good requests</th>
            <th scope="col">Last</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ reason, what, requests: refused, lastSeen }) => (
            <tr key={`${reason} ${what}`}>
              <th scope="row" class="mono">
                {what}
              </th>
              <td data-label="Reason">{reasonTitle(reason)}</td>
              <td data-label="Good requests" class="number">
                {refused}
              </td>
              <td data-label="Last">
                <Moment at={lastSeen} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && <p class="hint">And {left} more.</p>}
    </div>
  );
}
