/** One refusal of the list. It opens in place and says what decided; from there to what could be changed. */
import { Fragment } from 'preact';
import type { Rejection } from '../api/types.ts';
import { allowAddress, explainAddress, keyAddress } from '../route.ts';
import { useReadOnly } from '../state/editing.ts';
import { Moment } from '../ui/time.tsx';
import { addressClass, reasonTitle } from './names.ts';
import { addressWith, type OverviewView } from './view.ts';

export interface RefusalRowProps {
  readonly rejection: Rejection;
  readonly view: OverviewView;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

const COLUMNS = 7;

export function RefusalRow({ rejection, view, isOpen, onToggle }: RefusalRowProps) {
  const { time, keyId, reason, clientIp, method, path, status, removedEvents } = rejection;
  return (
    <Fragment>
      <tr class={isOpen ? 'row-open' : undefined}>
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
        <td data-label="Address" class={addressClass(clientIp)}>
          {clientIp}
        </td>
        <td data-label="Request" class="mono path">
          {method} {path}
        </td>
        <td data-label="Status" class="number">
          {status}
        </td>
        <td class="cell-actions">
          <button type="button" class="link-button" aria-expanded={isOpen} onClick={onToggle}>
            Why was this refused?
          </button>
        </td>
      </tr>
      {isOpen && (
        <tr class="row-detail">
          <td colSpan={COLUMNS}>
            <Detail rejection={rejection} view={view} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function Detail({ rejection, view }: Pick<RefusalRowProps, 'rejection' | 'view'>) {
  const { reason, rule, events = [], userAgent, requestId, traceId, time, mode, api, aborted, path } = rejection;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Reason', `${reasonTitle(reason)} (${reason})`],
    ['Decided by', rule ?? 'No rule with a name: what the reason says'],
    ['Events', events.length === 0 ? undefined : events.join(', ')],
    ['User-Agent', userAgent ?? 'Did not say'],
    ['API', api === '' ? 'None was found for it' : api],
    ['Request id', requestId],
    ['Trace id', traceId],
    ['Time', time],
    ['Path', path],
    ['Report mode', mode === 'report' ? 'It was let through, and would have been refused' : undefined],
    ['Answer', aborted ? 'Cut off after it had begun' : undefined],
  ];
  return (
    <div class="detail">
      <dl>
        {facts.flatMap(([name, value]) =>
          value === undefined
            ? []
            : [
                <div key={name}>
                  <dt>{name}</dt>
                  <dd class={name === 'Reason' || name === 'Decided by' ? undefined : 'mono'}>{value}</dd>
                </div>,
              ],
        )}
      </dl>
      <Ways rejection={rejection} view={view} />
    </div>
  );
}

/** The refusals that more allowed addresses would end. */
const OF_ADDRESSES: ReadonlySet<string> = new Set(['ip_not_allowed']);

function Ways({ rejection, view }: Pick<RefusalRowProps, 'rejection' | 'view'>) {
  const { keyId, reason, clientIp, method, path, events = [] } = rejection;
  const canChange = useReadOnly() === null;
  return (
    <p class="ways">
      {canChange && keyId !== '' && OF_ADDRESSES.has(reason) && (
        <a class="button button-small" href={allowAddress(keyId, clientIp)}>
          Allow {clientIp} for {keyId}…
        </a>
      )}
      <a href={addressWith({ ...view, filter: {} }, { filter: { address: clientIp } })}>All from this address</a>
      {keyId !== '' && <a href={addressWith({ ...view, filter: {} }, { filter: { key: keyId } })}>All of this key</a>}
      <a href={explainAddress({ keyId, ip: clientIp, method, path, events: events.join(', ') })}>
        Explain: what such a request would meet now
      </a>
    </p>
  );
}
