/** The example of docs/limit-what-a-key-may-do.md, as it stands there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { runCheck } from '../../src/commands/check.ts';
import { startBackend } from '../support/backend.ts';
import { capturedIo } from '../support/command-io.ts';
import { codeOf, written } from '../support/flow.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

const [CONFIG = '', KEYS = ''] = [
  ...readFileSync('docs/limit-what-a-key-may-do.md', 'utf8').matchAll(/```yaml\n(.*?)```/gs),
].map(([, block]) => block);

const SECRETS = {
  partner: 'secret-of-the-partner-key',
  collector: 'secret-of-the-collector-key',
  uploads: 'secret-of-the-uploads-key',
  admin: 'secret-of-the-admin-key-here',
};

t.test('it has no findings', async (t) => {
  const directory = t.testdir({ 'postern.yaml': CONFIG, 'keys.yaml': KEYS });
  const env = Object.fromEntries(Object.entries(SECRETS).map(([id, secret]) => [`${id.toUpperCase()}_KEY`, secret]));
  const { io, out } = capturedIo({ env });
  t.equal(
    await runCheck({ config: join(directory, 'postern.yaml'), strict: true, json: false }, io),
    0,
    out.join('\n'),
  );
});

t.test('each caller may do what it says, and no more', async (t) => {
  const backend = await startBackend(t);
  const { apis } = parse(CONFIG) as { apis: { shop: object } };
  const { keys } = parse(KEYS) as { keys: { id: keyof typeof SECRETS }[] };
  const postern = await startPostern(t, {
    config: { apis: { shop: { ...apis.shop, upstream: backend.url } }, listen: { trustedProxies: ['127.0.0.1'] } },
    keys: keys.map((key) => ({ ...key, secret: SECRETS[key.id] })),
  });
  type Caller = keyof typeof SECRETS | null;
  const ask = async (caller: Caller, ip: string, line: string, body?: string, fields: string[] = []) => {
    const [method, target] = line.split(' ') as [string, string];
    const secret = caller === null ? null : SECRETS[caller];
    const request = { method, target, secret, fields: [`X-Forwarded-For: ${ip}`, ...fields] };
    const answer = await sendRaw(postern.port, written(body === undefined ? request : { ...request, body }));
    return codeOf(answer) || answer.status;
  };
  const partner = '198.51.100.7';
  t.equal(await ask('partner', partner, 'GET /v1/orders/7'), 204);
  t.equal(await ask('partner', '198.51.100.9', 'GET /v1/orders/7'), 'ip_not_allowed');
  for (const line of ['GET /v1/orders', 'GET /v1/orders/7/lines', 'GET /v1/nothing'])
    t.equal(await ask('partner', partner, line), 'route_not_allowed', line);
  for (const line of ['PUT /v1/orders/7', 'DELETE /v1/orders/7', 'POST /v1/track'])
    t.equal(await ask('partner', partner, line), 'method_not_allowed', line);
  t.equal(await ask('partner', partner, 'GET /v1/orders/%2e%2e/admin'), 'ambiguous_path');

  t.equal(await ask('collector', '192.0.2.1', 'POST /v1/track', '{"event":"signup"}'), 204);
  t.equal(await ask('collector', '192.0.2.1', 'POST /v1/track', '{"event":"other"}'), 'event_not_allowed');
  t.equal(await ask('collector', '192.0.2.1', 'POST /v1/uploads', '{}'), 'route_not_allowed');
  t.equal(await ask('collector', '192.0.2.1', 'GET /v1/orders/7'), 'method_not_allowed');

  const form = ['Content-Type: multipart/form-data; boundary=x'];
  t.equal(await ask('uploads', '10.1.2.3', 'POST /v1/uploads', '--x--', form), 204);
  t.equal(await ask('uploads', '10.1.2.3', 'POST /v1/track', '{"event":"signup"}'), 'route_not_allowed');
  t.equal(await ask('uploads', '192.0.2.1', 'POST /v1/uploads', 'x'), 'ip_not_allowed');

  for (const line of ['GET /v1/orders', 'PUT /v1/orders/7', 'DELETE /v1/orders/7'])
    t.equal(await ask('admin', '10.1.2.3', line), 204, line);
  t.equal(await ask('admin', '10.1.2.3', 'DELETE /v1/orders'), 'route_not_allowed');
  t.equal(
    await ask('admin', '10.1.2.3', 'GET /v1/orders', undefined, ['Origin: https://a.example']),
    'browser_not_allowed',
  );
  t.equal(await ask('admin', '10.1.2.3', 'POST /v1/uploads?_method=DELETE', 'x'), 'method_not_allowed');

  t.equal(await ask(null, '192.0.2.1', 'GET /health'), 204);
  t.equal(await ask(null, '192.0.2.1', 'GET /static/logo.png'), 204);
  t.equal(await ask(null, '192.0.2.1', 'GET /v1/orders/7'), 'missing_credential');
  t.equal(await ask(null, '192.0.2.1', 'GET /static'), 'missing_credential');
});
