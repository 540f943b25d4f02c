import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import t from 'tap';
import { API_KEY, CLIENT_SECRET, startMetrics } from '../support/metrics-api.ts';

const insecure = { [oauth.allowInsecureRequests]: true };

t.test(
  'an OAuth client library obtains a token that anybody can verify by the key set, and queries with it',
  async (t) => {
    const file = join(t.testdir(), 'key.pem');
    writeFileSync(
      file,
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    const { postern, query } = await startMetrics(t, {
      api: { token: { privateKeyFile: file, issuer: 'https://p.example' } },
    });
    const as = { issuer: 'https://p.example', token_endpoint: `${postern.url}/metrics/auth/token` };
    const client = { client_id: API_KEY };
    for (const authenticate of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
      const response = await oauth.clientCredentialsGrantRequest(as, client, authenticate(CLIENT_SECRET), {}, insecure);
      t.ok(response.headers.get('x-request-id'));
      const { access_token } = await oauth.processClientCredentialsResponse(as, client, response);
      const jwks = createRemoteJWKSet(new URL(`${postern.url}/.well-known/jwks.json`));
      await jwtVerify(access_token, jwks, {
        issuer: 'https://p.example',
        audience: 'metrics',
        typ: 'at+jwt',
        algorithms: ['ES256'],
      });
      t.equal((await query(access_token)).status, 200);
      const wrong = await oauth.clientCredentialsGrantRequest(as, client, authenticate('wrong'), {}, insecure);
      t.same([wrong.status, ((await wrong.json()) as { error: string }).error], [401, 'invalid_client']);
    }
  },
);

t.test('with a shared secret there is no key set', async (t) => {
  const { postern } = await startMetrics(t, { api: { token: { secret: 'a shared secret of more than 32 bytes' } } });
  const answer = await fetch(`${postern.url}/.well-known/jwks.json`);
  t.ok(answer.status === 404 || answer.status === 401, String(answer.status));
});
