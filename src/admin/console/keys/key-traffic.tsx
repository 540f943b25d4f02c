/** What a key does now: its refusals of the last hour, the latest of them, and from where and with which events it is used. */
import { readObserved, readRejectionsOf, readSummary } from '../api/requests.ts';
import type { KeyDefinition, Observed, Rejection } from '../api/types.ts';
import { count, reasonTitle } from '../overview/names.ts';
import { stretchText } from '../overview/times.ts';
import { overviewAddress } from '../route.ts';
import { useResource } from '../state/resource.ts';
import { Moment } from '../ui/time.tsx';
import { MinuteBars } from './minute-bars.tsx';
import { trafficOf } from './traffic.ts';

const REFRESH_MS = 10_000;
const LATEST = 5;

export interface KeyTrafficProps {
  readonly definition: KeyDefinition;
  /** Fills in the form; null: nothing can be changed. */
  readonly onEnforce: (() => void) | null;
}

export function KeyTraffic({ definition: { id, mode }, onEnforce }: KeyTrafficProps) {
  const summary = useResource('summary', () => readSummary(), REFRESH_MS);
  const latest = useResource(`refusals of ${id}`, () => readRejectionsOf(id, LATEST), REFRESH_MS);
  const observed = useResource(`observed of ${id}`, () => readObserved(id), REFRESH_MS);
  if (summary.value === null) return null;
  const traffic = trafficOf(summary.value, id);
  const { requests, refused, wouldRefuse } = traffic;
  return (
    <section class="card" aria-labelledby="traffic">
      <div class="card-head">
        <h2 id="traffic">Traffic {stretchText(summary.value)}</h2>
        <a href={overviewAddress({ key: id })}>All refusals of this key</a>
      </div>
      <p>
        {count(requests)} {requests === 1 ? 'request' : 'requests'}, {count(refused)} refused
        {wouldRefuse > 0 && `, ${count(wouldRefuse)} would have been refused`}.
      </p>
      {mode === 'report' && onEnforce !== null && (
        <p class="actions">
          <button type="button" class="button" onClick={onEnforce}>
            Enforce: would have refused {count(wouldRefuse)} of {count(requests)}
          </button>
        </p>
      )}
      {refused + wouldRefuse > 0 && <MinuteBars minutes={traffic.minutes} />}
      <div class="traffic-lists">
        <Latest rejections={latest.value?.rejections ?? []} />
        {observed.value !== null && <Seen observed={observed.value} />}
      </div>
    </section>
  );
}

function Latest({ rejections }: { readonly rejections: readonly Rejection[] }) {
  return (
    <div>
      <h3>Last refusals</h3>
      {rejections.length === 0 && <p class="muted">None that Postern still knows of.</p>}
      <ul class="plain-list">
        {rejections.map(({ requestId, time, reason, clientIp, rule, mode }) => (
          <li key={`${requestId} ${reason}`}>
            <Moment at={time} /> <strong>{reasonTitle(reason)}</strong>
            {mode === 'report' && ' (report mode)'} <span class="mono">{clientIp}</span>
            {rule !== undefined && <span class="muted row-note">{rule}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Of more, the page of the API tells. */
const MOST_SEEN = 5;

function Seen({ observed: { addresses, events } }: { readonly observed: Observed }) {
  return (
    <>
      <SeenList title="Addresses seen" seen={addresses.map(({ address, ...one }) => ({ ...one, name: address }))} />
      <SeenList title="Events seen" seen={events} />
    </>
  );
}

interface SeenListProps {
  readonly title: string;
  readonly seen: readonly { readonly name: string; readonly requests: number; readonly lastSeen: string }[];
}

function SeenList({ title, seen }: SeenListProps) {
  if (seen.length === 0) return null;
  const most = seen.toSorted((a, b) => b.requests - a.requests).slice(0, MOST_SEEN);
  return (
    <div>
      <h3>{title}</h3>
      <ul class="plain-list">
        {most.map(({ name, requests, lastSeen }) => (
          <li key={name}>
            <span class="mono">{name}</span>{' '}
            <span class="muted">
              {count(requests)}, last <Moment at={lastSeen} />
            </span>
          </li>
        ))}
        {seen.length > most.length && <li class="muted">and {seen.length - most.length} more</li>}
      </ul>
    </div>
  );
}
