import t from 'tap';
import { adminClient, ADMIN_TOKEN } from '../support/admin-client.ts';
import { startPostern } from '../support/postern.ts';

t.test('what is too large for the data port is too large for a question, and told by its field', async (t) => {
  const postern = await startPostern(t, {
    config: { admin: { token: ADMIN_TOKEN }, apis: { integration: { upstream: 'http://127.0.0.1:9' } } },
    keys: [{ id: 'web', type: 'write-only', secret: 'secret-of-the-web-key' }],
  });
  const { call, document } = await adminClient(t, postern.adminUrl);
  const question = { keyId: 'web', ip: '192.0.2.1', method: 'POST', path: '/event/ingest' };
  const ask = (change: object) => call('POST', '/api/explain', { body: { ...question, ...change } });
  t.equal((await ask({ path: `/${'a'.repeat(16_000)}` })).status, 200);
  for (const [field, value] of [
    ['path', `/${'%CC%81%CC%96'.repeat(80_000)}`],
    ['path', `/${'a'.repeat(16_384)}`],
    ['origin', 'a'.repeat(20_000)],
    ['ip', ':'.repeat(100)],
    ['keyId', 'a'.repeat(65)],
    ['method', 'A'.repeat(65)],
    ['events', Array.from({ length: 10_001 }, () => 'a')],
  ] as const) {
    const { status, body } = await ask({ [field]: value });
    t.equal(status, 422, field);
    t.equal(body.findings[0].field, field);
  }
  for (const body of ['['.repeat(500_000), `[${'1,'.repeat(60_000)}1]`])
    t.match(await call('POST', '/api/keys', { body }), { status: 400, body: { code: 'malformed_request' } });
  t.match(await call('POST', '/api/session', { body: { token: 'a'.repeat(20_000) }, token: null }), { status: 413 });
  const wrong = { id: 'new', type: 'write-only', allowFrom: Array.from({ length: 5_000 }, () => 'x') };
  const { status, body } = await call('POST', '/api/keys', { body: wrong });
  t.equal(status, 422);
  t.equal(body.findings.length, 101);
  t.equal(body.findings[100].message, 'It has 4900 more mistakes.');
  const fields = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`field-${n}`, n]));
  const many = await call('POST', '/api/keys', { body: fields });
  t.same([many.status, many.body.findings], [422, [{ field: '', message: 'It must not hold more than 100 fields.' }]]);
  const { Question, NewKey } = document.components.schemas as Record<string, { properties: Record<string, object> }>;
  t.match(Question?.properties['path'], { maxLength: 16_384 });
  t.match(Question?.properties['events'], { maxItems: 10_000, items: { maxLength: 16_384 } });
  t.match(NewKey?.properties['description'], { maxLength: 16_384 });
});
