/** Address lists of the key file, from outside: what they let in and keep out, as they change. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import t from 'tap';
import { codeOf, startFlow, written } from '../support/flow.ts';
import { eventually } from '../support/eventually.ts';

const SECRET = 'secret-of-the-partner';

t.test('keys, policies and lists in one file', async (t) => {
  let cloud: string | null = null;
  const server = createServer((_, res) => (cloud === null ? res.writeHead(503).end() : res.end(cloud)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ranges.txt`;
  cloud = '198.51.100.0/24\n';
  const { raw, postern } = await startFlow(t, {
    listen: { trustedProxies: ['127.0.0.1'] },
    keys: [{ id: 'partner', policy: 'partners', secret: SECRET, denyFrom: [{ list: 'bad' }] }],
    records: {
      policies: { partners: { type: 'read-only', allowFrom: [{ list: 'office' }, { list: 'cloud' }] } },
      addressLists: { office: ['203.0.113.0/28'], cloud: { url }, bad: { file: 'bad.txt' } },
    },
    files: { 'bad.txt': '203.0.113.7\n' },
  });
  const from = async (address: string) => {
    const fields = [`X-Forwarded-For: ${address}`];
    const answer = await raw(written({ method: 'GET', target: '/profile/u1', secret: SECRET, fields }));
    return codeOf(answer) || answer.status;
  };
  await postern.ready();
  t.same(await Promise.all(['203.0.113.1', '198.51.100.9', '203.0.113.7', '192.0.2.1', 'unknown'].map(from)), [
    204,
    204,
    'ip_not_allowed',
    'ip_not_allowed',
    'ip_not_allowed',
  ]);
  const metrics = await (await fetch(`${postern.adminUrl}/metrics`)).text();
  t.match(metrics, 'postern_address_list_up{list="cloud"} 1');
  t.match(metrics, 'postern_address_list_entries{list="bad"} 1');

  writeFileSync(join(dirname(postern.keysFile), 'bad.txt'), '# others\n203.0.113.1\n');
  await eventually(async () => (await from('203.0.113.7')) === 204, 'the changed file');
  t.equal(await from('203.0.113.1'), 'ip_not_allowed');

  const records = {
    policies: { partners: { type: 'read-only', allowFrom: 'anywhere' } },
    addressLists: { bad: ['192.0.2.1'] },
  };
  postern.writeKeys([{ id: 'partner', policy: 'partners', secret: SECRET, denyFrom: [{ list: 'bad' }] }], records);
  await postern.sidecar.reload();
  t.same(await Promise.all(['203.0.113.1', '192.0.2.1', '192.0.2.2'].map(from)), [204, 'ip_not_allowed', 204]);
});

t.test('a sidecar whose list was never read is not ready, and becomes so', async (t) => {
  let text: string | null = null;
  const server = createServer((_, res) => (text === null ? res.writeHead(503).end() : res.end(text)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ranges.txt`;
  const { raw, postern } = await startFlow(t, {
    keys: [{ id: 'a', type: 'read-only', secret: SECRET, allowFrom: [{ list: 'cloud' }] }],
    records: { addressLists: { cloud: { url } } },
  });
  const ready = async () => (await fetch(`${postern.adminUrl}/readyz`)).status;
  const ask = async () => (await raw(written({ method: 'GET', target: '/profile/u1', secret: SECRET }))).status;
  t.same([await ready(), await ask()], [503, 503]);
  text = '127.0.0.0/8\n';
  await eventually(async () => (await ready()) === 200, 'the list');
  t.equal(await ask(), 204);
});

t.test('lists of an API and of the port', async (t) => {
  const { raw, postern } = await startFlow(t, {
    listen: { trustedProxies: ['127.0.0.1'], denyFrom: [{ list: 'bad' }] },
    api: { allowFrom: [{ list: 'office' }] },
    keys: [{ id: 'a', type: 'read-only', secret: SECRET }],
    records: { addressLists: { bad: ['203.0.113.7'], office: ['203.0.113.0/28'] } },
  });
  const from = async (address: string) => {
    const fields = [`X-Forwarded-For: ${address}`];
    const answer = await raw(written({ method: 'GET', target: '/profile/u1', secret: SECRET, fields }));
    return codeOf(answer) || answer.status;
  };
  t.same(await Promise.all(['203.0.113.1', '203.0.113.7', '192.0.2.1'].map(from)), [
    204,
    'address_denied',
    'ip_not_allowed',
  ]);
  postern.writeKeys([{ id: 'a', type: 'read-only', secret: SECRET }], {
    addressLists: { bad: ['203.0.113.1'], office: ['203.0.113.0/28', '192.0.2.1'] },
  });
  await postern.sidecar.reload();
  t.same(await Promise.all(['203.0.113.1', '203.0.113.7', '192.0.2.1'].map(from)), ['address_denied', 204, 204]);
});

t.test('a list that the configuration names and the key file does not hold is a mistake', async (t) => {
  const start = startFlow(t, { listen: { denyFrom: [{ list: 'bad' }] } });
  await t.rejects(start, /postern\.yaml:\d+:\d+ error listen\.denyFrom\[0\]\.list is the name of no address list/);
});
