/** A sidecar with a metrics API in front of a backend, and what a dashboard does with it. */
import type { ServerResponse } from 'node:http';
import { startBackend, type RecordedRequest } from './backend.ts';
import { startPostern } from './postern.ts';

export const CLIENT_SECRET = 'client-secret-of-the-dashboard';
export const API_KEY = 'environment-api-key-of-the-dashboard';

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

export interface MetricsOptions {
  readonly respond?: (req: RecordedRequest, res: ServerResponse) => void;
  readonly key?: Record<string, unknown>;
  /** Merged into the metrics API's configuration. */
  readonly api?: Record<string, unknown>;
  readonly listen?: Record<string, unknown>;
  readonly admin?: Record<string, unknown>;
  readonly now?: () => number;
}

export const metricsKeyDefinition = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'dashboard',
  type: 'metrics',
  apiKey: API_KEY,
  secrets: [{ value: CLIENT_SECRET }],
  ...changes,
});

/** By default the backend answers each request with its number. */
export async function startMetrics(t: Disposer, { respond, key, api, listen, admin, now }: MetricsOptions = {}) {
  let answered = 0;
  const backend = await startBackend(
    t,
    respond ??
      ((_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(`{"answer":${++answered}}`)),
  );
  const postern = await startPostern(t, {
    config: {
      apis: { metrics: { upstream: backend.url, ...api } },
      ...(listen === undefined ? {} : { listen }),
      ...(admin === undefined ? {} : { admin }),
    },
    keys: [metricsKeyDefinition(key)],
    ...(now === undefined ? {} : { now }),
  });
  const requestToken = (
    pair: Record<string, unknown> = { clientSecret: CLIENT_SECRET, environmentApiKey: API_KEY },
    headers: Record<string, string> = {},
  ) =>
    fetch(`${postern.url}/metrics/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(pair),
    });
  const obtainToken = async (headers: Record<string, string> = {}): Promise<string> => {
    const answer = (await (await requestToken(undefined, headers)).json()) as { accessToken: string };
    return answer.accessToken;
  };
  const query = (
    token: string,
    { body = '{"variables":{}}', path = '/metrics/query', headers = {} as Record<string, string> } = {},
  ) =>
    fetch(postern.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body,
    });
  return { backend, postern, requestToken, obtainToken, query };
}

export const cacheStatus = (answer: Response): string | null => answer.headers.get('cache-status');
