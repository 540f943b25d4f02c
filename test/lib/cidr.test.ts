import { BlockList, isIP } from 'node:net';
import * as fc from 'fast-check';
import t from 'tap';
import { formatAddress, parseAddress, type Address } from '../../src/lib/address.ts';
import { compileAddressSet, isCidr, parseCidr, type Cidr } from '../../src/lib/cidr.ts';

function read(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.why);
  return parsed.value;
}

const CANONICAL: Readonly<Record<string, string>> = {
  '10.0.0.0/8': '10.0.0.0/8',
  '192.0.2.1': '192.0.2.1',
  '192.0.2.1/32': '192.0.2.1',
  '0.0.0.0/0': '0.0.0.0/0',
  '::/0': '::/0',
  '2001:DB8::/32': '2001:db8::/32',
  '2001:db8::1/128': '2001:db8::1',
  '::ffff:10.0.0.0/104': '10.0.0.0/8',
  '::ffff:0:0/96': '0.0.0.0/0',
  '::ffff:192.0.2.1': '192.0.2.1',
  '2001:db8:8000::/33': '2001:db8:8000::/33',
};
for (const [text, expected] of Object.entries(CANONICAL)) t.equal(read(text).text, expected, `${text} is ${expected}`);
for (const text of Object.keys(CANONICAL)) t.ok(isCidr(text), text);

const REFUSED = [
  ['', '/', '/8', '10.0.0.0/', '10.0.0.0/33', '::/129', '10.0.0.0/+8', '10.0.0.0/08', '10.0.0.0/ 8', '10.0.0.0/8 '],
  ['10.0.0.0/8/8', '10.0.0.0/-1', '10.0.0.0/0x8', '10.0.0.0/255.0.0.0', '10/8', '10.0.0/24', '010.0.0.0/8', '*', 'any'],
  ['::ffff:0:0/129', 'fe80::%eth0/64', '[::1]/128', 'fe80::/1.0', '10.0.0.0-10.0.0.9'],
].flat();
for (const text of REFUSED) t.notOk(parseCidr(text).ok, `${JSON.stringify(text)} is refused`);
for (const text of [...REFUSED, '10.0.0.5/8', '::ffff:0:0/95']) t.notOk(isCidr(text), text);

t.test('what is quoted begins as it was written, and is not long', (t) => {
  const text = `a${'b'.repeat(100)}`;
  const parsed = parseCidr(text);
  t.match(parsed.ok ? '' : parsed.why, JSON.stringify(`${text.slice(0, 64)}...`));
  for (const short of ['b', 'b'.repeat(64)]) {
    const whole = parseCidr(short);
    t.match(whole.ok ? '' : whole.why, JSON.stringify(short), 'what is short is quoted whole');
  }
  t.end();
});

t.test('host bits are an error that names both readings', (t) => {
  t.strictSame(parseCidr('10.0.0.5/8'), {
    ok: false,
    why: '10.0.0.5/8 has host bits set: write 10.0.0.0/8 for the network or 10.0.0.5 for the one address',
  });
  t.match(parseCidr('2001:db8::1/32'), { ok: false, why: /write 2001:db8::\/32 .* or 2001:db8::1 / });
  t.match(parseCidr('::ffff:10.0.0.5/104'), { ok: false, why: /write 10\.0\.0\.0\/8 .* or 10\.0\.0\.5 / });
  t.end();
});

t.test('a mapped network that reaches beyond the mapped addresses is an error', (t) => {
  for (const text of ['::ffff:10.0.0.0/95', '::ffff:0:0/80', '::ffff:0.0.0.0/8'])
    t.match(parseCidr(text), { ok: false, why: /IPv4-mapped/ }, text);
  t.end();
});

t.test('what an operator pasted by mistake is shown shortened', (t) => {
  const parsed = parseCidr('x'.repeat(10_000));
  t.ok(!parsed.ok && parsed.why.length < 200);
  t.end();
});

t.test('families do not contain each other', (t) => {
  const all4 = compileAddressSet([read('0.0.0.0/0')]);
  const all6 = compileAddressSet([read('::/0')]);
  t.ok(all4.has(parseAddress('192.0.2.1')));
  t.ok(all4.has(parseAddress('::ffff:192.0.2.1')));
  t.notOk(all4.has(parseAddress('::192.0.2.1')));
  t.ok(all6.has(parseAddress('2001:db8::1')));
  t.notOk(all6.has(parseAddress('192.0.2.1')));
  t.notOk(all6.has(parseAddress('::ffff:192.0.2.1')));
  t.end();
});

t.test('the empty set admits nobody, and no set admits an unknown address', (t) => {
  t.equal(compileAddressSet([]).size, 0);
  t.notOk(compileAddressSet([]).has(parseAddress('127.0.0.1')));
  t.notOk(compileAddressSet([read('0.0.0.0/0'), read('::/0')]).has(null));
  t.equal(compileAddressSet([read('0.0.0.0/0'), read('::/0')]).rangeOf(null), null);
  t.end();
});

t.test('the first networks of a set, of both families, and no more than are asked for', (t) => {
  const texts = ['2001:db8:2::/48', '192.0.2.0/24', '2001:db8:1::1', '10.0.0.0/8', '198.51.100.1'];
  const set = compileAddressSet(texts.map(read));
  const inOrder = ['10.0.0.0/8', '192.0.2.0/24', '198.51.100.1', '2001:db8:1::1', '2001:db8:2::/48'];
  for (let most = 0; most <= 6; most++) t.same(set.networks(most), inOrder.slice(0, most));
  t.equal(set.size, 5);
  t.end();
});

t.test('nested and repeated networks become one range', (t) => {
  const set = compileAddressSet(
    ['10.1.0.0/16', '10.0.0.0/8', '10.0.0.0/8', '10.0.0.1', '11.0.0.0/8', '12.0.0.1', '12.0.0.1'].map(read),
  );
  t.equal(set.size, 3);
  t.equal(compileAddressSet(['10.0.0.1', '2001:db8::1'].map(read)).size, 2);
  for (const inside of ['10.0.0.0', '10.1.2.3', '10.255.255.255', '11.0.0.0'])
    t.ok(set.has(parseAddress(inside)), inside);
  for (const outside of ['9.255.255.255', '12.0.0.0']) t.notOk(set.has(parseAddress(outside)), outside);
  t.end();
});

t.test('a range begins with its first address and ends with its last, in both families', (t) => {
  const ranges = [
    ['2001:db8::1/128', '2001:db8::', '2001:db8::1', '2001:db8::1', '2001:db8::2'],
    [
      '2001:db8:0:2::/64',
      '2001:db8:0:1:ffff:ffff:ffff:ffff',
      '2001:db8:0:2::',
      '2001:db8:0:2:ffff:ffff:ffff:ffff',
      '2001:db8:0:3::',
    ],
    [
      'ff00::/8',
      'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      'ff00::',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      '0:1::',
    ],
    ['192.0.2.7', '192.0.2.6', '192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['198.51.100.0/24', '198.51.99.255', '198.51.100.0', '198.51.100.255', '198.51.101.0'],
    ['255.0.0.0/8', '254.255.255.255', '255.0.0.0', '255.255.255.255', '0.0.0.0'],
  ] as const;
  const together = compileAddressSet(ranges.map(([text]) => read(text)));
  for (const [text, before, first, last, after] of ranges)
    for (const set of [compileAddressSet([read(text)]), together]) {
      const has = [before, first, last, after].map((address) => set.has(parseAddress(address)));
      t.same(has, [false, true, true, false], text);
      t.equal(set.rangeOf(parseAddress(last)), read(text).text);
    }
  t.end();
});

t.test('fifty thousand entries find each of their addresses', (t) => {
  const cidrs = Array.from({ length: 50_000 }, (_, i) => read(`${10 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.128/25`));
  const set = compileAddressSet(cidrs);
  t.equal(set.size, 50_000);
  t.ok(cidrs.every(({ first, last }) => set.has(first) && set.has(last)));
  t.notOk(set.has(parseAddress('10.0.0.127')));
  t.equal(set.rangeOf(parseAddress('10.0.1.200')), '10.0.1.128/25');
  t.end();
});

// Few distinct bits, so that networks nest and addresses hit.
const group = fc.constantFrom('0', '1', '8000', 'ffff', 'd800', 'dc00');
const address6 = fc.array(group, { minLength: 8, maxLength: 8 }).map((all) => all.join(':'));
const octet = fc.constantFrom(0, 1, 127, 128, 255);
const address4 = fc.array(octet, { minLength: 4, maxLength: 4 }).map((all) => all.join('.'));
const anyAddress = fc.oneof(address4, address6);
const network = fc.tuple(anyAddress, fc.integer({ min: 0, max: 128 })).map(([text, bits]) => {
  const why = parseCidr(`${text}/${isIP(text) === 4 ? bits % 33 : bits}`);
  if (why.ok) return why.value;
  const [, corrected] = /write (\S+) for/.exec(why.why) ?? [];
  return read(corrected ?? text);
});

t.test('a set agrees with a scan of its networks, and with the platform', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.array(network, { maxLength: 12 }),
        fc.array(anyAddress, { minLength: 1, maxLength: 12 }),
        (cidrs, texts) => {
          const set = compileAddressSet(cidrs);
          const list = new BlockList();
          for (const { first, prefixLength, family } of cidrs)
            list.addSubnet(formatAddress(first), prefixLength, family === 4 ? 'ipv4' : 'ipv6');
          return texts.every((text) => {
            const address = parseAddress(text) as Address;
            const scanned = cidrs.some(
              ({ first, last }) => first.length === address.length && first <= address && address <= last,
            );
            const written = formatAddress(address);
            // The platform finds IPv4 addresses in IPv6 networks that hold their mapped form; here they never are.
            const listed = cidrs.some(({ family }) => family === 6) && address.length === 2;
            const holding = cidrs.filter(
              ({ first, last }) => first.length === address.length && first <= address && address <= last,
            );
            const largest = holding.reduce<Cidr | null>(
              (most, cidr) => (most === null || cidr.prefixLength < most.prefixLength ? cidr : most),
              null,
            );
            if (set.rangeOf(address) !== (largest?.text ?? null)) return false;
            return (
              set.has(address) === scanned &&
              (listed || list.check(written, isIP(written) === 4 ? 'ipv4' : 'ipv6') === scanned)
            );
          });
        },
      ),
      { numRuns: 500 },
    ),
  );
  t.end();
});
