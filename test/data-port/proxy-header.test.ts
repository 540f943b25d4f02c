import * as fc from 'fast-check';
import t from 'tap';
import { beginsProxyHeader, readProxyHeader, type ProxyHeader } from '../../src/data-port/proxy-header.ts';
import { v2Header } from '../support/proxy-header.ts';

const read = (bytes: string | Buffer): ProxyHeader =>
  readProxyHeader(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
const IPV4 = [203, 0, 113, 7, 198, 51, 100, 1, 0xd9, 0x03, 0x01, 0xbb];
const IPV6 = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, ...Array<number>(16).fill(0), 0, 80, 0, 81];

void t.test('version 1', async (t) => {
  const tcp4 = 'PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n';
  t.same(read(`${tcp4}GET /`), {
    kind: 'complete',
    length: tcp4.length,
    source: { kind: 'address', text: '203.0.113.7', port: 56324 },
  });
  t.match(read('PROXY TCP6 2001:db8::1 ::1 1 0\r\n'), { source: { kind: 'address', text: '2001:db8::1', port: 1 } });
  t.match(read('PROXY TCP4 1.2.3.4 1.2.3.4 65535 0\r\n'), {
    source: { kind: 'address', text: '1.2.3.4', port: 65535 },
  });
  t.match(read('PROXY UNKNOWN\r\n'), { kind: 'complete', length: 15, source: { kind: 'unknown' } });
  t.match(read('PROXY UNKNOWN ffff::1 1.2.3.4 whatever\r\n'), { kind: 'complete', source: { kind: 'unknown' } });
  t.match(read(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`), { kind: 'complete', length: 107 });
});

void t.test('version 2', async (t) => {
  t.same(read(v2Header(0x21, 0x11, IPV4)), {
    kind: 'complete',
    length: 28,
    source: { kind: 'address', text: '203.0.113.7', port: 0xd903 },
  });
  t.match(read(v2Header(0x21, 0x21, IPV6)), { source: { text: '2001:db8:0:0:0:0:0:1', port: 80 } });
  t.match(
    read(v2Header(0x21, 0x11, [...IPV4, 0x04, 0, 2, 1, 2])),
    { length: 33, source: { text: '203.0.113.7' } },
    'TLVs',
  );
  t.match(read(v2Header(0x20, 0x00, [])), { length: 16, source: { kind: 'peer' } }, 'LOCAL');
  t.match(read(v2Header(0x20, 0x11, IPV4)), { length: 28, source: { kind: 'peer' } }, 'LOCAL with an address');
  t.match(read(v2Header(0x20, 0x21, [])), { source: { kind: 'peer' } }, 'LOCAL with a family whose address is missing');
  t.match(read(v2Header(0x21, 0x31, Array<number>(216).fill(47))), { source: { kind: 'unknown' } }, 'Unix socket');
  t.match(read(v2Header(0x21, 0x00, [])), { source: { kind: 'unknown' } }, 'unspecified');
  t.match(read(v2Header(0x21, 0x11, [...IPV4, ...Array<number>(4068).fill(0)])), { length: 4096 }, '4 KiB');
});

for (const [name, bytes] of [
  ['no header', 'GET / HTTP/1.1\r\n'],
  ['lower case', 'proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n'],
  ['an unknown protocol', 'PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n'],
  ['an unknown protocol with IPv6 addresses', 'PROXY TCP5 ::1 ::1 1 1\r\n'],
  ['an address of the other family', 'PROXY TCP4 ::1 ::1 1 1\r\n'],
  ['no address of the proxy', 'PROXY TCP4 1.2.3.4 nobody 1 1\r\n'],
  ['an address of the proxy of the other family', 'PROXY TCP6 ::1 1.2.3.4 1 1\r\n'],
  ['an octal address', 'PROXY TCP4 010.2.3.4 1.2.3.4 1 1\r\n'],
  ['a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n'],
  ['two spaces', 'PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n'],
  ['too many parts', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n'],
  ['too few parts', 'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n'],
  ['a port with a leading zero', 'PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n'],
  ['a port past 65535', 'PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n'],
  ['a bare LF', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n\r\n'],
  ['108 bytes', `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`],
  ['107 bytes without an end', `PROXY UNKNOWN ${'x'.repeat(93)}`],
  ['version 2: an unknown command', v2Header(0x22, 0x11, IPV4)],
  ['version 2: another version', v2Header(0x11, 0x11, IPV4)],
  ['version 2: datagrams', v2Header(0x21, 0x12, IPV4)],
  ['version 2: an unknown family', v2Header(0x21, 0x41, IPV4)],
  ['version 2: an IPv4 block cut short', v2Header(0x21, 0x11, IPV4.slice(1))],
  ['version 2: an IPv6 block cut short', v2Header(0x21, 0x21, IPV6.slice(1))],
  ['version 2: more than 4 KiB', v2Header(0x21, 0x11, [...IPV4, ...Array<number>(4069).fill(0)])],
] as const) {
  void t.test(`refuses ${name}`, async (t) => {
    t.equal(read(bytes).kind, 'malformed');
  });
}

void t.test('every beginning of a header is incomplete, whatever follows changes nothing', async (t) => {
  const header = fc.constantFrom(
    Buffer.from('PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n'),
    Buffer.from('PROXY UNKNOWN\r\n'),
    v2Header(0x21, 0x11, [...IPV4, 0x04, 0, 0]),
    v2Header(0x20, 0x00, []),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(header, fc.uint8Array(), (bytes, rest) => {
        for (let n = 0; n < bytes.length; n++) if (read(bytes.subarray(0, n)).kind !== 'incomplete') return false;
        const whole = read(Buffer.concat([bytes, rest]));
        return whole.kind === 'complete' && whole.length === bytes.length;
      }),
    ),
  );
});

void t.test('the first bytes of a connection are told from those of a header', async (t) => {
  const begins = (bytes: string | Buffer): boolean => beginsProxyHeader(Buffer.from(bytes as string, 'latin1'));
  t.equal(begins('PROXY '), true);
  t.equal(begins('PROXY TCP4 nonsense'), true);
  t.equal(begins('PROXY'), false, 'which may be a method yet');
  t.equal(begins('PROXY\t'), false);
  t.equal(begins('GET / HTTP/1.1\r\n'), false);
  t.equal(begins(''), false);
  const v2 = v2Header(0x21, 0x00, []).subarray(0, 12);
  t.equal(begins(v2), true);
  t.equal(begins(v2.subarray(0, 11)), false);
  t.equal(begins('\r\n\r\nGET / HTTP/1.1\r\n'), false);
});
