/** What docs/share-rules-between-keys.md and docs/address-lists.md say of their examples is so. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { codeOf, startFlow, written } from '../support/flow.ts';

const secretOf = (name: string): string => `the-secret-that-stands-for-${name}`;

/** The first YAML of a page as a key file, with a secret for each reference. */
function keysOf(page: string) {
  const text = /```yaml\n(.*?)```/s.exec(readFileSync(page, 'utf8'))?.[1] ?? '';
  const filled = text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => secretOf(name));
  const { keys, ...records } = parse(filled) as { keys: Record<string, unknown>[] };
  return { keys, records };
}

t.test('keys that share rules', async (t) => {
  const { raw } = await startFlow(t, {
    ...keysOf('docs/share-rules-between-keys.md'),
    listen: { trustedProxies: ['127.0.0.1'] },
  });
  const ask = async (name: string, from: string, method = 'GET', target = '/v1/orders/7') => {
    const fields = [`X-Forwarded-For: ${from}`];
    const answer = await raw(written({ method, target, secret: secretOf(name), fields }));
    return codeOf(answer) || answer.status;
  };
  t.equal(await ask('ACME_KEY', '203.0.113.1'), 'ip_not_allowed');
  t.equal(await ask('ACME_KEY', '198.51.100.1', 'POST'), 'method_not_allowed');
  t.equal(await ask('ACME_KEY', '198.51.100.1', 'GET', '/v1/users/7'), 'route_not_allowed');
  const thrice = ['1', '2', '3'];
  t.same(await Promise.all(thrice.map(() => ask('ACME_KEY', '198.51.100.1'))), [204, 204, 'rate_limited']);
  t.equal(await ask('GLOBEX_KEY', '198.51.100.1'), 'ip_not_allowed', 'its own addresses replace those of the policy');
  t.same(await Promise.all(thrice.map(() => ask('GLOBEX_KEY', '203.0.113.1'))), [204, 204, 204]);
});

t.test('address lists', async (t) => {
  const page = readFileSync('docs/address-lists.md', 'utf8');
  const abuse = /```\n(# what.*?)```/s.exec(page)?.[1] ?? '';
  const { raw } = await startFlow(t, {
    ...keysOf('docs/address-lists.md'),
    files: { 'abuse.txt': abuse },
    listen: { trustedProxies: ['127.0.0.1'] },
  });
  const from = async (address: string) => {
    const fields = [`X-Forwarded-For: ${address}`];
    const answer = await raw(written({ method: 'GET', target: '/x', secret: secretOf('BACKEND_KEY'), fields }));
    return codeOf(answer) || answer.status;
  };
  for (const address of ['203.0.113.1', '2001:db8::1', '192.0.2.10']) t.equal(await from(address), 204, address);
  for (const address of ['203.0.113.7', '198.51.100.1', '192.0.2.11', 'unknown'])
    t.equal(await from(address), 'ip_not_allowed', address);
});
