/** A sidecar that observes, in front of a backend whose answer the path decides, and clients from any address. */
import type { Test } from 'tap';
import { ADMIN_TOKEN, adminClient, type AdminClient } from './admin-client.ts';
import type { Observed } from '../../src/observe/view.ts';
import { startFlow, written, type Flow, type WrittenRequest } from './flow.ts';
import type { RawAnswer } from './raw-http.ts';

export const ROUTES = [
  { method: 'POST', path: '/v1/track', events: 'event', query: ['ip'] },
  { method: 'POST', path: '/v1/batch', events: 'batch[].event' },
  { method: 'GET', path: '/v1/users/:id' },
];

export interface ObservingOptions {
  readonly keys: readonly Record<string, unknown>[];
  readonly api?: Record<string, unknown>;
  readonly observe?: Record<string, unknown>;
  readonly now?: () => number;
}

export interface ObservingFlow extends Flow {
  readonly call: AdminClient['call'];
  /** Sends a request from an address, by a proxy that is believed. */
  readonly from: (address: string, request: WrittenRequest) => Promise<RawAnswer>;
  readonly observed: (path: string) => Promise<Observed>;
}

/** `/missing` is 404, `/broken` is 500, everything else 200. */
export async function startObserving(t: Test, { keys, api, observe, now }: ObservingOptions): Promise<ObservingFlow> {
  const flow = await startFlow(t, {
    keys,
    api: { routes: ROUTES, ...api },
    admin: { token: ADMIN_TOKEN },
    listen: { trustedProxies: ['127.0.0.1'] },
    observe: { enabled: true, ...observe },
    respond: ({ url }, res) =>
      void res.writeHead(url.includes('/missing') ? 404 : url.includes('/broken') ? 500 : 200).end('{}'),
    ...(now === undefined ? {} : { now }),
  });
  const { call } = await adminClient(t, flow.postern.adminUrl);
  return {
    ...flow,
    call,
    from: (address, { fields = [], ...request }) =>
      flow.raw(written({ ...request, fields: [`X-Forwarded-For: ${address}`, 'Connection: close', ...fields] }), {
        untilClose: true,
      }),
    observed: async (path) => (await call('GET', path)).body as Observed,
  };
}
