/** The latest refusals as they come, with filters; each leads to why it was refused. */
import { useState } from 'preact/hooks';
import type { Mode, Rejection } from '../api/types.ts';
import { explainAddress, keyAddress } from '../route.ts';
import type { LiveRejections } from '../state/live-rejections.ts';
import { Badge } from '../ui/badge.tsx';
import { SelectField } from '../ui/field.tsx';
import { FailureNotice } from '../ui/notice.tsx';
import { Moment } from '../ui/time.tsx';
import { keyName, reasonTitle } from './names.ts';

export interface LatestRefusalsProps {
  readonly live: LiveRejections;
  readonly mode: Mode;
}

const PAGE = 50;
const ANY = '*';

export function LatestRefusals({ live: { rejections, failure, live }, mode }: LatestRefusalsProps) {
  const [key, setKey] = useState(ANY);
  const [reason, setReason] = useState(ANY);
  const [limit, setLimit] = useState(PAGE);
  const [paused, setPaused] = useState<readonly Rejection[] | null>(null);
  const all = (paused ?? rejections ?? []).filter((rejection) => rejection.mode === mode);
  const shown = all.filter(
    (rejection) => (key === ANY || rejection.keyId === key) && (reason === ANY || rejection.reason === reason),
  );
  return (
    <section class="card card-flush" aria-labelledby="latest">
      <div class="card-head">
        <h2 id="latest">{mode === 'enforce' ? 'Latest refusals' : 'Latest that would be refused'}</h2>
        <p class="badges">
          <Badge tone={paused !== null ? 'warning' : live ? 'good' : 'neutral'}>
            {paused !== null ? 'Paused' : live ? 'Live' : 'Not live'}
          </Badge>
          <button
            type="button"
            class="button button-small"
            disabled={rejections === null}
            onClick={() => setPaused(paused === null ? rejections : null)}
          >
            {paused === null ? 'Pause' : 'Go on'}
          </button>
        </p>
      </div>
      <div class="filters">
        <SelectField label="Key" value={key} onChange={setKey} options={optionsOf(all, 'keyId', keyName, key)} />
        <SelectField
          label="Reason"
          value={reason}
          onChange={setReason}
          options={optionsOf(all, 'reason', reasonTitle, reason)}
        />
      </div>
      {rejections === null ? (
        failure === null ? (
          <p class="loading" role="status">
            Loading refusals…
          </p>
        ) : (
          <FailureNotice failure={failure} />
        )
      ) : (
        <RefusalTable rejections={shown.slice(0, limit)} filtered={all.length > 0} />
      )}
      {shown.length > limit && (
        <p class="more">
          <button type="button" class="button" onClick={() => setLimit(limit + PAGE)}>
            Show {Math.min(PAGE, shown.length - limit)} more
          </button>
        </p>
      )}
    </section>
  );
}

function RefusalTable({
  rejections,
  filtered,
}: {
  readonly rejections: readonly Rejection[];
  readonly filtered: boolean;
}) {
  if (rejections.length === 0)
    return <p class="empty">{filtered ? 'None of them matches.' : 'None since Postern started.'}</p>;
  return (
    <table class="table table-cards">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Key</th>
          <th scope="col">Reason</th>
          <th scope="col">Address</th>
          <th scope="col">Request</th>
          <th scope="col">Status</th>
          <th scope="col">
            <span class="visually-hidden">Explain</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rejections.map((rejection, index) => (
          <RefusalRow
            key={`${rejection.requestId} ${rejection.time} ${rejections.length - index}`}
            rejection={rejection}
          />
        ))}
      </tbody>
    </table>
  );
}

function RefusalRow({ rejection }: { readonly rejection: Rejection }) {
  const { time, keyId, reason, clientIp, method, path, status, removedEvents } = rejection;
  return (
    <tr>
      <td data-label="Time">
        <Moment at={time} />
      </td>
      <td data-label="Key" class="mono">
        {keyId === '' ? <span class="muted">–</span> : <a href={keyAddress(keyId)}>{keyId}</a>}
      </td>
      <td data-label="Reason">
        <span title={reason}>{reasonTitle(reason)}</span>
        {removedEvents > 0 && <span class="muted"> {removedEvents} events removed</span>}
      </td>
      <td data-label="Address" class="mono">
        {clientIp}
      </td>
      <td data-label="Request" class="mono path">
        {method} {path}
      </td>
      <td data-label="Status" class="number">
        {status}
      </td>
      <td class="cell-actions">
        <a href={explainAddress({ keyId, ip: clientIp, method, path })}>Why was this refused?</a>
      </td>
    </tr>
  );
}

/** Those that are there, and the one that is chosen, even if it is there no longer. */
function optionsOf(
  rejections: readonly Rejection[],
  field: 'keyId' | 'reason',
  nameOf: (value: string) => string,
  chosen: string,
): [string, string][] {
  const values = new Set(rejections.map((rejection) => rejection[field]));
  if (chosen !== ANY) values.add(chosen);
  return [[ANY, 'Any'], ...[...values].sort().map((value): [string, string] => [value, nameOf(value)])];
}
