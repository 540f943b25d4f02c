import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { codeOf, startFlow, written } from '../support/flow.ts';

const OFFICE = '203.0.113.7';
const KEY = {
  id: 'office',
  type: 'read-write',
  secret: 'secret-of-the-office',
  allowFrom: [OFFICE, '2001:db8:1::/48'],
};
const send = (...fields: readonly string[]) => written({ secret: KEY.secret, fields, body: '{}' });
const forwardedFor = (value: string): string => `X-Forwarded-For: ${value}`;

t.test('behind a trusted proxy the client is the right-most entry that is not one', async (t) => {
  const { raw, postern, backend } = await startFlow(t, {
    keys: [KEY],
    listen: { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] },
  });
  const admitted: readonly (readonly [string, readonly string[], string])[] = [
    ['one entry', [forwardedFor(OFFICE)], OFFICE],
    ['a spoofed left part', [forwardedFor(`192.0.2.66, ${OFFICE}`)], OFFICE],
    ['trusted proxies behind it', [forwardedFor(`${OFFICE},10.1.2.3 ,  10.0.0.1`)], OFFICE],
    [
      'several headers are one list',
      [forwardedFor('192.0.2.66'), forwardedFor(OFFICE), forwardedFor('10.0.0.1')],
      OFFICE,
    ],
    ['any case of the name', [`x-FORWARDED-for: ${OFFICE}`], OFFICE],
    ['a port', [forwardedFor(`${OFFICE}:51000`)], OFFICE],
    ['IPv6', [forwardedFor('2001:db8:1::5')], '2001:db8:1::5'],
    ['IPv6 in another spelling', [forwardedFor('2001:0DB8:1:0:0:0:0:5')], '2001:db8:1::5'],
    ['IPv6 with a port', [forwardedFor('[2001:db8:1::5]:443')], '2001:db8:1::5'],
    ['IPv4 in IPv6', [forwardedFor(`::ffff:${OFFICE}`)], OFFICE],
  ];
  for (const [name, fields, client] of admitted) {
    t.equal((await raw(send(...fields))).status, 204, name);
    t.match(
      backend.requests.at(-1)?.headers['x-forwarded-for'],
      new RegExp(`^${client}(?:, 10\\..*)?, 127\\.0\\.0\\.1$`),
    );
  }
  const refused: readonly (readonly [string, readonly string[], string])[] = [
    ['no header: the proxy itself', [], '127.0.0.1'],
    ['another client, the right one spoofed', [forwardedFor(`${OFFICE}, 192.0.2.66`)], '192.0.2.66'],
    ['all trusted: the left-most', [forwardedFor('10.0.0.2, 10.0.0.1')], '10.0.0.2'],
    ['an empty value', [forwardedFor('')], 'unknown'],
    ['an empty entry', [forwardedFor(`${OFFICE},`)], 'unknown'],
    ['a name', [forwardedFor(`${OFFICE}, unknown`)], 'unknown'],
    ['octal', [forwardedFor('203.0.0113.7')], 'unknown'],
    ['hexadecimal', [forwardedFor('0xcb.0.113.7')], 'unknown'],
    ['one number', [forwardedFor('3405803783')], 'unknown'],
    ['a zone', [forwardedFor('2001:db8:1::5%eth0')], 'unknown'],
    ['a broken port', [forwardedFor(`${OFFICE}:99999`)], 'unknown'],
    ['quotes', [forwardedFor(`"${OFFICE}"`)], 'unknown'],
    ['more than 32 entries', [forwardedFor(`${OFFICE}${', 10.0.0.1'.repeat(33)}`)], 'unknown'],
    [
      'headers that are never believed',
      ['Forwarded', 'X-Real-IP', 'True-Client-IP', 'CF-Connecting-IP', 'X-Client-IP'].map((n) => `${n}: ${OFFICE}`),
      '127.0.0.1',
    ],
    ['Forwarded', [`Forwarded: for=${OFFICE}`], '127.0.0.1'],
    ['a look-alike', [`X_Forwarded_For: ${OFFICE}`], '127.0.0.1'],
    ['named in Connection', [forwardedFor('192.0.2.66'), 'Connection: X-Forwarded-For'], '192.0.2.66'],
  ];
  const before = backend.requests.length;
  for (const [name, fields, client] of refused) {
    const answer = await raw(send(...fields));
    t.same([answer.status, codeOf(answer)], [403, 'ip_not_allowed'], name);
    t.match(postern.lines.at(-1), { reason: 'ip_not_allowed', keyId: 'office', clientIp: client }, name);
  }
  t.equal(backend.requests.length, before);
});

t.test('nobody else is believed, and the backend gets the peer alone', async (t) => {
  const { raw, backend } = await startFlow(t, { keys: [{ ...KEY, allowFrom: ['127.0.0.1'] }] });
  t.equal((await raw(send(forwardedFor(OFFICE), 'X-Forwarded-Proto: https'))).status, 204);
  t.match(backend.requests[0]?.headers, { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' });
});

t.test('an unknown address is anywhere, and an empty list admits nobody', async (t) => {
  const { raw } = await startFlow(t, {
    keys: [
      { id: 'any', type: 'read-write', secret: 'secret-usable-anywhere' },
      { id: 'none', type: 'read-write', secret: 'secret-usable-nowhere', allowFrom: [] },
    ],
    listen: { trustedProxies: ['127.0.0.1'] },
  });
  t.equal(
    (await raw(written({ secret: 'secret-usable-anywhere', fields: [forwardedFor('?')], body: '{}' }))).status,
    204,
  );
  t.equal(codeOf(await raw(written({ secret: 'secret-usable-nowhere', body: '{}' }))), 'ip_not_allowed');
});

/** Where this machine has an IPv6 link, `fe80::...%eth0`; what the kernel tells of such peers is tried in data-port/socket-record too. */
const linkLocal = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
  addresses.filter(({ address }) => address.startsWith('fe80:')).map(({ address }) => ({ address, zone: name })),
);
t.test('a link-local peer is on a list of its network', async (t) => {
  const keys = [
    { ...KEY, allowFrom: ['fe80::/10'] },
    { ...KEY, id: 'other', secret: 'secret-of-the-other', allowFrom: ['fe80::/128'] },
  ];
  const other = await startFlow(t, { keys });
  t.equal(codeOf(await other.raw(send())), 'ip_not_allowed', 'and no other is');
  for (const { address, zone } of linkLocal.slice(0, 1)) {
    const { postern, backend } = await startFlow(t, { keys, listen: { host: '::' } });
    const from = async (secret: string): Promise<string> => {
      const socket = net.connect(postern.port, `${address}%${zone}`);
      t.teardown(() => socket.destroy());
      socket.write(written({ secret, fields: ['Connection: close'], body: '{}' }));
      return text(socket);
    };
    t.match(await from(KEY.secret), /^HTTP\/1\.1 204 /);
    t.equal(backend.requests[0]?.headers['x-forwarded-for'], address);
    t.match(await from('secret-of-the-other'), /ip_not_allowed/);
    t.match(postern.lines.at(-1), { clientIp: address });
  }
});
