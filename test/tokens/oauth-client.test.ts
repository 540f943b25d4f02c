/** A real OAuth 2.0 client library obtains a token, and a resource server verifies it by the published keys. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import t, { type Test } from 'tap';
import { KEPT } from '../support/backend.ts';
import { createFailureLimiter } from '../../src/tokens/failure-limiter.ts';
import { createTokenEndpoint } from '../../src/tokens/token-endpoint.ts';
import { createTokenService, type TokenService } from '../../src/tokens/token.ts';
import { metricsKey, secretOf, sha256, snapshotOf } from '../support/metrics-keys.ts';
import { askToken } from '../support/token-asking.ts';

const SECRET = 'se:cret with %, + and \u00e9';
const API_KEY = 'api key/1:2';
const insecure = { [oauth.allowInsecureRequests]: true };

async function serve(t: Test, tokens: TokenService): Promise<string> {
  const endpoint = createTokenEndpoint('metrics', tokens, createFailureLimiter());
  const keys = snapshotOf(metricsKey({ secrets: [secretOf(SECRET)], apiKeyDigest: sha256(API_KEY) }));
  const server = http.createServer(KEPT, (req, res) => {
    if (req.url === '/.well-known/jwks.json') return void res.end(tokens.jwks);
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const { authorization, 'content-type': contentType } = req.headers;
      const head = {
        method: 'POST',
        contentType,
        contentEncoding: undefined,
        authorization,
        address: '127.0.0.1',
        requestId: 'r1',
        keys,
      };
      void askToken(endpoint, { ...head, now: Date.now() }, Buffer.concat(chunks)).then(({ answer }) =>
        res.writeHead(answer?.status ?? 500, [...(answer?.headers ?? [])]).end(answer?.body),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const [name, authenticate] of [
  ['HTTP Basic', oauth.ClientSecretBasic],
  ['the body', oauth.ClientSecretPost],
] as const)
  t.test(`oauth4webapi obtains a token with credentials by ${name}`, async (t) => {
    const file = join(t.testdir(), 'key.pem');
    writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const settings = { ttlSeconds: 900, secret: null, privateKeyFile: file, issuer: 'https://postern.example' };
    const url = await serve(t, createTokenService('metrics', settings, randomBytes(32)));
    const as = { issuer: settings.issuer, token_endpoint: `${url}/metrics/auth/token` };
    const client = { client_id: API_KEY };

    const response = await oauth.clientCredentialsGrantRequest(as, client, authenticate(SECRET), {}, insecure);
    const { access_token, token_type, expires_in } = await oauth.processClientCredentialsResponse(as, client, response);
    t.same([token_type, expires_in], ['bearer', 900]);

    const jwks = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(access_token, jwks, {
      issuer: settings.issuer,
      audience: 'metrics',
      typ: 'at+jwt',
    });
    t.equal(payload.sub, 'metrics');

    const wrong = await oauth.clientCredentialsGrantRequest(as, client, authenticate('wrong'), {}, insecure);
    await t.rejects(oauth.processClientCredentialsResponse(as, client, wrong));
    const scoped = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      authenticate(SECRET),
      { scope: 'all' },
      insecure,
    );
    await t.rejects(
      oauth.processClientCredentialsResponse(as, client, scoped),
      new Error('server responded with an error in the response body'),
      {
        error: 'invalid_scope',
      },
    );
  });
