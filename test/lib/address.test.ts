import { BlockList, isIP } from 'node:net';
import * as fc from 'fast-check';
import t from 'tap';
import {
  formatAddress,
  isPort,
  parseAddress,
  parseAddressWithPort,
  parseKernelAddress,
  type Address,
} from '../../src/lib/address.ts';

const canonical = (address: Address | null): string | null => (address === null ? null : formatAddress(address));

const CANONICAL: Readonly<Record<string, string>> = {
  '0.0.0.0': '0.0.0.0',
  '255.255.255.255': '255.255.255.255',
  '192.0.2.1': '192.0.2.1',
  '::': '::',
  '::1': '::1',
  '1::': '1::',
  '2001:DB8::0001': '2001:db8::1',
  '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
  '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
  '0:0:1:0:0:0:1:0': '0:0:1::1:0',
  '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
  'd800:dc00::dfff': 'd800:dc00::dfff',
  '::ffff:192.0.2.1': '192.0.2.1',
  '::FFFF:c000:0201': '192.0.2.1',
  '0:0:0:0:0:ffff:192.0.2.1': '192.0.2.1',
};

for (const [text, expected] of Object.entries(CANONICAL))
  t.equal(canonical(parseAddress(text)), expected, `${text} is ${expected}`);

const NO_ADDRESS = [
  ['', ' ', '1.2.3', '1', '16909060', '0x01.2.3.4', '0x01020304', '01.2.3.4', '1.2.3.04', '1.2.3.256', '1.2.3.4.5'],
  ['1.2.3.4 ', ' 1.2.3.4', '1.2.3.4\n', '1.2.3.4\0', '1.2.3.4:80', '1.2.3.4/32', '+1.2.3.4', '1.2.3.-4', '１.2.3.4'],
  ['fe80::1%eth0', 'fe80::1%', '[::1]', '[::1]:80', '::1::', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::'],
  ['::ffff:01.2.3.4', '::ffff:1.2.3', '::1.2.3.4:1', 'g::', 'localhost', 'unknown', '_hidden', '::ffff:1.2.3.4%1'],
].flat();
for (const text of NO_ADDRESS) t.equal(parseAddress(text), null, `${JSON.stringify(text)} is no address`);

t.test('the kernel may name a zone, and nothing else that is no address', (t) => {
  t.equal(canonical(parseKernelAddress('fe80::1%eth0')), 'fe80::1');
  t.equal(canonical(parseKernelAddress('192.0.2.1')), '192.0.2.1');
  t.equal(canonical(parseKernelAddress('::ffff:192.0.2.1')), '192.0.2.1');
  for (const text of ['', '%eth0', 'unknown', 'unknown%eth0', '1.2.3.4:80']) t.equal(parseKernelAddress(text), null);
  t.end();
});

t.test('an IPv4 address inside IPv6 is that address only when it is mapped', (t) => {
  const ipv4 = parseAddress('10.0.0.1');
  t.equal(parseAddress('::ffff:10.0.0.1'), ipv4);
  for (const other of ['::10.0.0.1', '64:ff9b::10.0.0.1', '2002:a00:1::', '::ffff:0:10.0.0.1', '::fffe:10.0.0.1'])
    t.not(parseAddress(other), ipv4, other);
  t.end();
});

const WITH_PORT: Readonly<Record<string, string | null>> = {
  '192.0.2.1': '192.0.2.1',
  ' \t192.0.2.1\t ': '192.0.2.1',
  '192.0.2.1:0': '192.0.2.1',
  '192.0.2.1:65535': '192.0.2.1',
  '[2001:db8::1]': '2001:db8::1',
  '[2001:db8::1]:443': '2001:db8::1',
  '2001:db8::1': '2001:db8::1',
  '[::ffff:192.0.2.1]:1': '192.0.2.1',
  '192.0.2.1:65536': null,
  '192.0.2.1:': null,
  '192.0.2.1:-1': null,
  '192.0.2.1:8a': null,
  '192.0.2.1: 80': null,
  '192.0.2.1:000080': null,
  '192.0.2.1:80:80': null,
  '[192.0.2.1]': null,
  '[192.0.2.1]:80': null,
  '[2001:db8::1': null,
  '2001:db8::1]': null,
  '[2001:db8::1]x': null,
  '[2001:db8::1]:': null,
  '[[2001:db8::1]]': null,
  '[fe80::1%eth0]:80': null,
  '"192.0.2.1"': null,
  '"[2001:db8::1]:80"': null,
  'for=192.0.2.1': null,
  'localhost:80': null,
  unknown: null,
  _hidden: null,
  '192.0.2.1 10.0.0.1': null,
  '\u00a0192.0.2.1': null,
  '192.0.2.1\v': null,
  '': null,
};
for (const [text, expected] of Object.entries(WITH_PORT))
  t.equal(canonical(parseAddressWithPort(text)), expected, `entry ${JSON.stringify(text)} is ${expected}`);

t.ok(isPort('65535'));
t.notOk(isPort('65536'));

const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 });
const ipv6 = groups.map((all) => all.map((group) => group.toString(16)).join(':'));
const addressText = fc.oneof(fc.ipV4(), fc.ipV6(), ipv6);

t.test('whatever the platform takes for an address without a zone is one, and nothing else', (t) => {
  const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcdefx.:%[]/ '.split('')), maxLength: 24 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.oneof(addressText, noise), (text) => {
        return (parseAddress(text) !== null) === (isIP(text) !== 0 && !text.includes('%'));
      }),
      { numRuns: 2000 },
    ),
  );
  t.end();
});

t.test('an address is equal to its canonical text, for this parser and for the platform', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(addressText, (text) => {
        const address = parseAddress(text) as Address;
        const written = formatAddress(address);
        const list = new BlockList();
        list.addAddress(text, isIP(text) === 4 ? 'ipv4' : 'ipv6');
        return parseAddress(written) === address && list.check(written, isIP(written) === 4 ? 'ipv4' : 'ipv6');
      }),
      { numRuns: 2000 },
    ),
  );
  t.end();
});

t.test('the canonical text of IPv6 is the one of the URL standard, which is RFC 5952', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(ipv6, (text) => {
        const address = parseAddress(text) as Address;
        return address.length === 2 || `[${formatAddress(address)}]` === new URL(`http://[${text}]`).hostname;
      }),
      { numRuns: 1000 },
    ),
  );
  t.end();
});

t.test('without brackets a second colon is a part of the address, wherever it stands', async (t) => {
  for (const text of ['1::', '1::2', '::1', '1:2::3']) t.equal(canonical(parseAddressWithPort(text)), text);
  for (const text of ['1.2.3.4::80', '1.2.3.4:8:0', '1.2.3.4:']) t.equal(parseAddressWithPort(text), null, text);
});
