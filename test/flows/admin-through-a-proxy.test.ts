import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { KEPT } from '../support/backend.ts';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startPostern } from '../support/postern.ts';

const KEY = { id: 'server', type: 'read-write', secret: 'the-secret-of-the-server' };

type Mark = (tag: string) => string;

/** A proxy that compresses every answer for those who take it, and marks its tag as some proxies do. */
async function startProxy(t: Test, target: string, mark: Mark): Promise<string> {
  const proxy = http.createServer(KEPT, (req, res) => {
    const { hostname, port } = new URL(target);
    const options = { hostname, port, path: req.url, method: req.method, headers: req.headers };
    const passed = http.request(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const { etag, 'content-length': _length, 'transfer-encoding': _coding, ...headers } = answer.headers;
        const packs = chunks.length > 0 && /gzip/.test(String(req.headers['accept-encoding']));
        if (etag !== undefined) headers.etag = packs ? mark(etag) : etag;
        if (packs) headers['content-encoding'] = 'gzip';
        const body = Buffer.concat(chunks);
        res.writeHead(answer.statusCode ?? 500, headers).end(packs ? gzipSync(body) : body);
      });
    });
    req.pipe(passed);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close().closeAllConnections());
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

const MARKS: Readonly<Record<string, Mark>> = {
  'nginx, HAProxy, Envoy': (tag) => `W/${tag}`,
  'Apache, Caddy': (tag) => tag.replace(/"$/, '-gzip"'),
  Jetty: (tag) => tag.replace(/"$/, '--gzip"'),
  'two proxies': (tag) => `W/${tag.replace(/"$/, '-gzip"')}`,
};

for (const [who, mark] of Object.entries(MARKS))
  t.test(`changes go through a proxy that compresses as ${who} do`, async (t) => {
    const apis = { integration: { upstream: 'http://127.0.0.1:9' } };
    const { adminUrl } = await startPostern(t, { config: { admin: { token: ADMIN_TOKEN }, apis }, keys: [KEY] });
    const { call } = await adminClient(t, await startProxy(t, adminUrl, mark));
    const first = await call('GET', '/api/keys/server');
    const tag = first.headers.get('etag') ?? '';
    t.equal(first.headers.get('content-encoding'), 'gzip');
    t.equal(first.headers.get('cache-control'), 'no-store, no-transform', 'for proxies that listen');
    const changed = await call('PUT', '/api/keys/server', { body: { ...first.body, description: 'x' }, ifMatch: tag });
    t.equal(changed.status, 200);
    t.equal(
      (await call('PUT', '/api/keys/server', { body: { ...first.body, description: 'y' }, ifMatch: tag })).status,
      412,
      'what another changed meanwhile is not lost',
    );
    const next = changed.headers.get('etag') ?? '';
    t.equal(
      (await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 60 }, ifMatch: tag })).status,
      412,
    );
    t.equal(
      (await call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 60 }, ifMatch: next })).status,
      201,
    );
    const last = (await call('GET', '/api/keys/server')).headers.get('etag') ?? '';
    t.equal((await call('DELETE', '/api/keys/server', { ifMatch: next })).status, 412);
    t.equal((await call('DELETE', '/api/keys/server', { ifMatch: last })).status, 204);
  });

t.test('the console behind a proxy with TLS on a port of its own', async (t) => {
  const apis = { integration: { upstream: 'http://127.0.0.1:9' } };
  const { adminUrl } = await startPostern(t, {
    config: { admin: { token: ADMIN_TOKEN, hosts: ['admin.example.com'] }, apis },
    keys: [KEY],
  });
  const signIn = async (headers: Record<string, string>) => {
    const { port } = new URL(adminUrl);
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/api/session', headers });
    request.end(JSON.stringify({ token: ADMIN_TOKEN }));
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    answer.resume();
    return { status: answer.statusCode, cookie: answer.headers['set-cookie']?.[0] ?? '' };
  };
  const json = { 'content-type': 'application/json' };
  // `proxy_set_header Host $host` leaves the port out; a browser vouches for the origin.
  const own = { ...json, host: 'admin.example.com', origin: 'https://admin.example.com:8443' };
  const signedIn = await signIn({ ...own, 'sec-fetch-site': 'same-origin' });
  t.equal(signedIn.status, 204);
  t.match(signedIn.cookie, /; HttpOnly; SameSite=Strict; Secure$/);
  for (const site of ['same-site', 'cross-site', 'none'])
    t.equal((await signIn({ ...own, 'sec-fetch-site': site })).status, 403);
  t.equal((await signIn(own)).status, 403, 'nobody vouches');
  for (const origin of [
    'https://evil.example',
    'https://admin.example.com.evil.example',
    'https://x@admin.example.com',
    'null',
  ])
    t.equal((await signIn({ ...own, origin, 'sec-fetch-site': 'same-origin' })).status, 403, origin);
  const plain = await signIn({ ...json, host: 'localhost:9090', origin: 'http://localhost:9090' });
  t.match(plain.cookie, /; HttpOnly; SameSite=Strict$/, 'over plain HTTP a browser would not keep it otherwise');
});
