import * as fc from 'fast-check';
import t from 'tap';
import { compileAllowRule, compileDenyRule } from '../../src/keys/address-rule.ts';
import type { Key } from '../../src/keys/key.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { compileAddressSet, parseCidr, type Cidr } from '../../src/lib/cidr.ts';
import { checkKeyAddress, resolveClientAddress, type ClientAddress } from '../../src/policy/client-address.ts';
import { compileTrustedProxies } from '../../src/policy/trusted-proxies.ts';
import { key } from '../support/passages.ts';

const trusted = compileTrustedProxies(['10.0.0.0/8', '2001:db8:ffff::/48']);

const peer = (text: string) => ({ text, address: parseAddress(text), isUnix: false });
const resolve = (from: string, ...forwardedFor: string[]): ClientAddress =>
  resolveClientAddress(peer(from), forwardedFor, trusted);

const PROXY = '10.0.0.1';

t.test('an untrusted peer is the client, whatever it says', (t) => {
  const client = resolve('203.0.113.7', '10.0.0.1', '198.51.100.1', 'garbage');
  t.strictSame(client, {
    address: parseAddress('203.0.113.7'),
    text: '203.0.113.7',
    fromTrustedProxy: false,
    chain: [],
    forwardedFor: '203.0.113.7',
  });
  t.end();
});

t.test('the answer for a connection without believed header is made once', (t) => {
  const one = peer('203.0.113.7');
  t.equal(resolveClientAddress(one, ['1.1.1.1'], trusted), resolveClientAddress(one, [], trusted));
  const proxy = peer(PROXY);
  t.equal(resolveClientAddress(proxy, [], trusted), resolveClientAddress(proxy, [], trusted));
  t.ok(resolveClientAddress(proxy, [], trusted).fromTrustedProxy);
  t.notOk(resolveClientAddress(proxy, [], compileTrustedProxies([])).fromTrustedProxy);
  t.end();
});

t.test('a peer that is no address is unknown and trusted by nobody', (t) => {
  t.match(resolve('unknown', '203.0.113.7'), { address: null, text: 'unknown', fromTrustedProxy: false });
  t.end();
});

t.test('a mapped peer is the IPv4 proxy that it is', (t) => {
  t.match(resolve('::ffff:10.0.0.1', '203.0.113.7'), { text: '203.0.113.7', forwardedFor: '203.0.113.7, 10.0.0.1' });
  t.end();
});

// From a trusted proxy: the header values, the client, and what the backend is told.
const SPELLINGS: readonly (readonly [values: readonly string[], client: string, forwardedFor: string])[] = [
  [[], PROXY, PROXY],
  [['203.0.113.7'], '203.0.113.7', '203.0.113.7, 10.0.0.1'],
  [['198.51.100.1, 203.0.113.7'], '203.0.113.7', '203.0.113.7, 10.0.0.1'],
  [['198.51.100.1', '203.0.113.7'], '203.0.113.7', '203.0.113.7, 10.0.0.1'],
  [['203.0.113.7', '10.9.9.9'], '203.0.113.7', '203.0.113.7, 10.9.9.9, 10.0.0.1'],
  [['203.0.113.7,10.9.9.9,10.8.8.8'], '203.0.113.7', '203.0.113.7, 10.9.9.9, 10.8.8.8, 10.0.0.1'],
  [['10.7.7.7, 10.9.9.9'], '10.7.7.7', '10.7.7.7, 10.9.9.9, 10.0.0.1'],
  [['203.0.113.7:4711'], '203.0.113.7', '203.0.113.7, 10.0.0.1'],
  [['[2001:db8::7]:4711'], '2001:db8::7', '2001:db8::7, 10.0.0.1'],
  [['2001:DB8:0::7'], '2001:db8::7', '2001:db8::7, 10.0.0.1'],
  [['203.0.113.7, 2001:db8:ffff::1'], '203.0.113.7', '203.0.113.7, 2001:db8:ffff::1, 10.0.0.1'],
  [['::ffff:203.0.113.7'], '203.0.113.7', '203.0.113.7, 10.0.0.1'],
  [['203.0.113.7, ::ffff:10.9.9.9'], '203.0.113.7', '203.0.113.7, 10.9.9.9, 10.0.0.1'],
  [['garbage, 203.0.113.7'], '203.0.113.7', '203.0.113.7, 10.0.0.1'],
  [[' 203.0.113.7\t'], '203.0.113.7', '203.0.113.7, 10.0.0.1'],
  [['203.0.113.7, garbage'], 'unknown', 'unknown, 10.0.0.1'],
  [['203.0.113.7, garbage, 10.9.9.9'], 'unknown', 'unknown, 10.9.9.9, 10.0.0.1'],
  [['203.0.113.7,'], 'unknown', 'unknown, 10.0.0.1'],
  [['203.0.113.7,,10.9.9.9'], 'unknown', 'unknown, 10.9.9.9, 10.0.0.1'],
  [[',10.9.9.9'], 'unknown', 'unknown, 10.9.9.9, 10.0.0.1'],
  [[''], 'unknown', 'unknown, 10.0.0.1'],
  [['203.0.113.7', ''], 'unknown', 'unknown, 10.0.0.1'],
  [['unknown'], 'unknown', 'unknown, 10.0.0.1'],
  [['_hidden'], 'unknown', 'unknown, 10.0.0.1'],
  [['"203.0.113.7"'], 'unknown', 'unknown, 10.0.0.1'],
  [['for=203.0.113.7'], 'unknown', 'unknown, 10.0.0.1'],
  [['203.0.113.7 10.9.9.9'], 'unknown', 'unknown, 10.0.0.1'],
  [['203.0.113.7;10.9.9.9'], 'unknown', 'unknown, 10.0.0.1'],
  [['0313.0.113.7'], 'unknown', 'unknown, 10.0.0.1'],
  [['10.1'], 'unknown', 'unknown, 10.0.0.1'],
  [['0x0a000001'], 'unknown', 'unknown, 10.0.0.1'],
  [['fe80::1%eth0'], 'unknown', 'unknown, 10.0.0.1'],
  [['203.0.113.7:99999'], 'unknown', 'unknown, 10.0.0.1'],
  [['[203.0.113.7]'], 'unknown', 'unknown, 10.0.0.1'],
  [['203.0.113.7/32'], 'unknown', 'unknown, 10.0.0.1'],
  [['localhost'], 'unknown', 'unknown, 10.0.0.1'],
  [['203.0.113.7\u00a0'], 'unknown', 'unknown, 10.0.0.1'],
];
for (const [values, client, forwardedFor] of SPELLINGS)
  t.test(`X-Forwarded-For ${JSON.stringify(values)} names ${client}`, (t) => {
    t.match(resolve(PROXY, ...values), {
      text: client,
      address: client === 'unknown' ? null : parseAddress(client),
      fromTrustedProxy: true,
      forwardedFor,
    });
    t.end();
  });

t.test('the chain shows the walk from right to left, and where it stumbled', (t) => {
  t.strictSame(resolve(PROXY, '1.1.1.1, 203.0.113.7:1, 10.9.9.9').chain, ['10.9.9.9', '203.0.113.7']);
  t.strictSame(resolve(PROXY, '1.1.1.1, <script>, 10.9.9.9').chain, ['10.9.9.9', ' <script>']);
  t.equal(resolve(PROXY, 'x'.repeat(9000)).chain[0]?.length, 67);
  t.end();
});

const hops = (count: number): string => Array.from({ length: count }, (_, i) => `10.2.2.${i}`).join(', ');

t.test('thirty-two entries are walked', (t) => {
  t.equal(resolve(PROXY, `203.0.113.7, ${hops(31)}`).text, '203.0.113.7');
  t.equal(resolve(PROXY, hops(32)).text, '10.2.2.0', 'all trusted and none left: the left-most');
  const further = resolve(PROXY, `203.0.113.7, ${hops(32)}`);
  t.equal(further.address, null, 'more left: unknown');
  t.ok(further.forwardedFor.startsWith('unknown, 10.2.2.0, '));
  t.equal(further.chain.length, 33);
  t.end();
});

t.test('the client is the right-most entry that is not trusted, however the list is cut into fields', (t) => {
  const entry = fc.constantFrom('10.1.1.1', '10.2.2.2:80', '203.0.113.7', '[2001:db8::1]:9', '198.51.100.4');
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(entry, fc.boolean()), { minLength: 1, maxLength: 20, size: 'max' }), (entries) => {
        const fields: string[] = [];
        for (const [text, starts] of entries) {
          if (starts || fields.length === 0) fields.push(text);
          else fields.push(`${fields.pop() as string},${text}`);
        }
        const all = entries.map(([text]) => text);
        const expected = all.findLast((text) => !text.startsWith('10.')) ?? (all[0] as string);
        const bare = expected.replace(/^\[(.*)\].*$/, '$1').replace(/^(10\.[^:]*):.*$/, '$1');
        return resolve(PROXY, ...fields).text === bare;
      }),
    ),
  );
  t.end();
});

t.test('what cannot be read is shown up to 64 characters, and an empty entry is no address', async (t) => {
  t.same(resolve(PROXY, 'x'.repeat(64)).chain, ['x'.repeat(64)]);
  t.same(resolve(PROXY, 'x'.repeat(65)).chain, [`${'x'.repeat(64)}...`]);
  t.equal(resolve(PROXY, ',203.0.113.7').text, '203.0.113.7', 'nothing is read beyond it');
  t.equal(resolve(PROXY, ',10.9.9.9').address, null);
  t.equal(resolve(PROXY, '203.0.113.7,').address, null);
});

const { value: OFFICES } = parseCidr('198.51.100.0/24') as { value: Cidr };

t.test('an address may use a key from where its lists say', async (t) => {
  const offices = new Map([['offices', compileAddressSet([OFFICES])]]);
  const judge = (from: string, change: Partial<Key>) => {
    const refused = checkKeyAddress(key('k', change), resolve(from), offices);
    return refused === null ? null : [refused.code, refused.why, refused.rule];
  };
  const allowFrom = compileAllowRule([{ address: '192.0.2.0/24' }, { list: 'offices' }]);
  for (const from of ['192.0.2.1', '198.51.100.7']) t.equal(judge(from, { allowFrom }), null, from);
  for (const from of ['192.0.3.1', 'unknown'])
    t.same(judge(from, { allowFrom }), [
      'ip_not_allowed',
      `${from} is not on the allow-list of key k`,
      'allowFrom of key k',
    ]);
  const denyFrom = compileDenyRule([{ address: '192.0.2.0/25' }, { list: 'offices' }]);
  t.equal(judge('192.0.2.128', { denyFrom, allowFrom }), null);
  t.same(judge('192.0.2.1', { denyFrom, allowFrom }), [
    'ip_not_allowed',
    '192.0.2.1 is on the list',
    'denyFrom of key k: 192.0.2.0/25',
  ]);
  t.same(judge('unknown', { denyFrom }), [
    'ip_not_allowed',
    'unknown cannot be told apart from those on the list',
    'denyFrom of key k',
  ]);
});
