/** `Connection: x-api-key` took away the credential that Postern puts in the place of the caller's. */
import t from 'tap';
import { SERVER_SECRET, startFlow, written } from '../support/flow.ts';

t.test('a credential that is replaced reaches the backend, whatever Connection names', async (t) => {
  const api = { credential: ['header:X-Api-Key'], authorization: 'key-of-the-backend' };
  const { raw, backend } = await startFlow(t, { api });
  const fields = [`X-Api-Key: ${SERVER_SECRET}`, 'Connection: x-api-key'];
  t.equal((await raw(written({ target: '/profile', secret: null, fields, body: '{}' }))).status, 204);
  t.equal(backend.requests[0]?.headers['x-api-key'], 'key-of-the-backend');
});
