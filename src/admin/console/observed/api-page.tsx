/** One API: what is called there, by whom, and what its routes do not list; and who called without a known key. */
import { readConfiguration, readObservedApi } from '../api/requests.ts';
import type { ObservedApi } from '../api/types.ts';
import { apiAddress, explainAddress, keyAddress } from '../route.ts';
import { useResource } from '../state/resource.ts';
import { Badge } from '../ui/badge.tsx';
import { Await, Notice } from '../ui/notice.tsx';
import { Moment } from '../ui/time.tsx';
import { notGood } from './words.ts';

/** `name`: null for the list of all. */
export function ApiPage({ name }: { readonly name: string | null }) {
  const configuration = useResource('configuration', readConfiguration);
  return (
    <Await resource={configuration} what="the APIs">
      {(read) => {
        const names = Object.keys(read['apis'] ?? {});
        const shown = name ?? names[0] ?? '';
        return (
          <>
            <div class="title-row">
              <h1>APIs</h1>
            </div>
            <nav aria-label="APIs" class="chips">
              {names.map((one) => (
                <a key={one} class="chip" href={apiAddress(one)} aria-current={one === shown ? 'page' : undefined}>
                  {one}
                </a>
              ))}
            </nav>
            {names.includes(shown) ? (
              <Api key={shown} name={shown} />
            ) : (
              <Notice kind="info">There is no such API.</Notice>
            )}
          </>
        );
      }}
    </Await>
  );
}

function Api({ name }: { readonly name: string }) {
  const observed = useResource(`api ${name}`, () => readObservedApi(name));
  if (observed.failure?.code === 'not_observing') return <Notice kind="info">{observed.failure.detail}</Notice>;
  return (
    <Await resource={observed} what="what was observed">
      {(read) => (
        <>
          <Routes observed={read} />
          <Strangers observed={read} />
        </>
      )}
    </Await>
  );
}

function Routes({ observed: { routes } }: { readonly observed: ObservedApi }) {
  return (
    <section class="card card-flush" aria-labelledby="routes">
      <div class="card-head">
        <h2 id="routes">What is called</h2>
      </div>
      {routes.length === 0 ? (
        <p class="empty">Nothing was observed.</p>
      ) : (
        <table class="table table-cards">
          <thead>
            <tr>
              <th scope="col">Route</th>
              <th scope="col">Listed</th>
              <th scope="col">Good requests</th>
              <th scope="col">Others</th>
              <th scope="col">Last</th>
              <th scope="col">By</th>
            </tr>
          </thead>
          <tbody>
            {routes.map(({ method, path, listed, good, requests, lastSeen, keys = [] }) => (
              <tr key={`${method} ${path}`}>
                <th scope="row" class="mono path">
                  {method} {path}
                </th>
                <td data-label="Listed">
                  <Badge tone={listed ? 'good' : 'warning'}>{listed ? 'Listed' : 'Not listed'}</Badge>
                </td>
                <td data-label="Good requests" class="number">
                  {good}
                </td>
                <td data-label="Others" class="number">
                  {requests - good}
                </td>
                <td data-label="Last">
                  <Moment at={lastSeen} />
                </td>
                <td data-label="By" class="mono">
                  {keys.map((key) =>
                    key === '' ? (
                      <span key={key} class="muted">
                        no known key{' '}
                      </span>
                    ) : (
                      <span key={key}>
                        <a href={keyAddress(key)}>{key}</a>{' '}
                      </span>
                    ),
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Strangers({ observed: { addresses, refused, requests, good } }: { readonly observed: ObservedApi }) {
  if (requests === 0) return null;
  return (
    <section class="card card-flush" aria-labelledby="strangers">
      <div class="card-head">
        <h2 id="strangers">Callers without a known key</h2>
        <p class="hint">
          {good} of {requests} requests were good.
        </p>
      </div>
      <table class="table table-cards">
        <thead>
          <tr>
            <th scope="col">Address</th>
            <th scope="col">Good requests</th>
            <th scope="col">Others</th>
            <th scope="col">Last</th>
            <th scope="col">
              <span class="visually-hidden">Explain</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {addresses.map((one) => (
            <tr key={one.address}>
              <th scope="row" class="mono">
                {one.address}
              </th>
              <td data-label="Good requests" class="number">
                {one.good}
              </td>
              <td data-label="Others" class="number">
                {one.requests - one.good}
              </td>
              <td data-label="Last">
                <Moment at={one.lastSeen} />
              </td>
              <td class="cell-actions">
                {!/[/u]/.test(one.address) && <a href={explainAddress({ ip: one.address })}>Explain a request</a>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {refused.length > 0 && (
        <ul class="plain-list">
          {refused.map(({ reason, requests: times }) => (
            <li key={reason}>
              {notGood(reason)}: {times}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
