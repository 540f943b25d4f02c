/**
 * The text that `npm start` prints: where everything listens, and requests to try. The secrets are the demo keys', whose
 * hashes stand in config/keys.yaml.
 */

export interface Demo {
  readonly postern: number;
  readonly admin: number;
  readonly integration: number;
  readonly metrics: number;
  readonly adminToken: string;
}

export const DEMO_SECRETS = {
  web: 'demo-web-key-for-local-use-only',
  backend: 'demo-backend-key-for-local-use-only',
  office: 'demo-office-key-for-local-use-only',
  metricsApiKey: 'demo-metrics-api-key',
  metricsClientSecret: 'demo-metrics-client-secret',
} as const;

const LOGIN = '{"userId":"u1","name":"login","properties":{}}';
const PURCHASE = '{"userId":"u1","name":"purchase","properties":{}}';

/** Each command stands on one line, so that it can be pasted into a shell. */
export function demoPage({ postern, admin, integration, metrics, adminToken }: Demo): string {
  const base = `http://127.0.0.1:${postern}`;
  const post = (secret: string, path: string, body: string): string =>
    `curl -i ${base}${path} -H 'Authorization: Bearer ${secret}' -H 'Content-Type: application/json' -d '${body}'`;
  const credentials = JSON.stringify({
    clientSecret: DEMO_SECRETS.metricsClientSecret,
    environmentApiKey: DEMO_SECRETS.metricsApiKey,
  });
  return `
Postern listens on ${base}, its admin port on http://127.0.0.1:${admin}.
The console is at http://127.0.0.1:${admin}/ and asks for the admin token of this run: ${adminToken}
Behind it: a demo backend on ports ${integration} (integration API) and ${metrics} (metrics API).

A request that is let through (204):
  ${post(DEMO_SECRETS.web, '/event/ingest', LOGIN)}
One without a key (401):
  curl -i ${base}/profile/u1
A key used from the wrong address (403):
  curl -i ${base}/profile/u1 -H 'Authorization: Bearer ${DEMO_SECRETS.office}'
A batch from which one event is removed (204, Postern-Removed-Events: 1), and what the backend got:
  ${post(DEMO_SECRETS.web, '/event/ingest/batch', `{"events":[${LOGIN},${PURCHASE}]}`)}
  curl http://127.0.0.1:${integration}/demo/received
A token for the metrics API:
  curl -i ${base}/metrics/auth/token -H 'Content-Type: application/json' -d '${credentials}'
A metric query with it; the second time from the cache (Cache-Status: postern; hit), without a call to the backend:
  TOKEN=$(curl -s ${base}/metrics/auth/token -H 'Content-Type: application/json' -d '${credentials}' | sed 's/.*"accessToken":"//; s/".*//')
  curl -i ${base}/metrics/query/daily-users -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"variables":{}}'
What was counted:
  curl http://127.0.0.1:${admin}/metrics

The keys are in config/keys.yaml, the configuration is config/postern.yaml; changes take effect at once. Ctrl-C stops all.

`;
}
