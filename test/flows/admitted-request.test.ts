import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

t.test('a request with a known key reaches the backend and its answer comes back', async (t) => {
  const backend = await startBackend(t, (_req, res) => void res.writeHead(200, { 'X-Backend': 'yes' }).end('hello'));
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [{ id: 'server', type: 'read-write', secret: 'a-secret-of-the-server' }],
  });
  const answer = await fetch(`${postern.url}/profile/u1?locationEnrichment=true`, {
    headers: { authorization: 'Bearer a-secret-of-the-server' },
  });
  t.equal(answer.status, 200);
  t.equal(answer.headers.get('x-backend'), 'yes');
  t.equal(await answer.text(), 'hello');
  const [request] = backend.requests;
  t.equal(request?.url, '/profile/u1?locationEnrichment=true');
  t.equal(request?.headers['postern-key-id'], 'server');
  t.equal(request?.headers['postern-key-type'], 'read-write');
  t.equal(request?.headers.authorization, undefined, 'the credential stays with Postern');
  t.equal(request?.headers['x-request-id'], answer.headers.get('x-request-id'));
  t.equal(await postern.metric('postern_requests_total{api="integration",key="server",status="200"}'), 1);
});

t.test('a request without a credential is refused with a problem document', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [{ id: 'server', type: 'read-write', secret: 'a-secret-of-the-server' }],
  });
  const answer = await fetch(`${postern.url}/profile/u1`);
  t.equal(answer.status, 401);
  t.equal(answer.headers.get('www-authenticate'), 'Bearer');
  t.match(await answer.json(), { type: 'about:blank', status: 401, code: 'missing_credential' });
  t.equal(backend.requests.length, 0);
});
