import t from 'tap';
import { parseAddress } from '../../src/lib/address.ts';
import { resolveClientAddress } from '../../src/policy/client-address.ts';
import { compileTrustedProxies, isTrustedProxy } from '../../src/policy/trusted-proxies.ts';

const at = (text: string) => ({ text, address: parseAddress(text), isUnix: false });
const ON_SOCKET = { text: 'unknown', address: null, isUnix: true };
/** Such as one that a PROXY header called UNKNOWN, on any kind of socket. */
const UNTOLD = { text: 'unknown', address: null, isUnix: false };

t.test('peers on the socket are trusted by the word alone, and the word trusts nobody else', (t) => {
  const both = compileTrustedProxies(['10.0.0.0/8', 'unix']);
  t.equal(both.size, 1, 'the word is no range');
  for (const [trusted, peer, expected] of [
    [both, ON_SOCKET, true],
    [both, at('10.0.0.1'), true],
    [both, UNTOLD, false],
    [compileTrustedProxies(['unix']), ON_SOCKET, true],
    [compileTrustedProxies(['unix']), at('10.0.0.1'), false],
    [compileTrustedProxies(['unix']), UNTOLD, false],
    [compileTrustedProxies(['0.0.0.0/0', '::/0']), ON_SOCKET, false],
    [compileTrustedProxies([]), ON_SOCKET, false],
  ] as const)
    t.equal(isTrustedProxy(peer, trusted), expected);
  t.throws(() => compileTrustedProxies(['10.0.0.1/8']), /host bits/, 'what the schema would not have let through');
  t.end();
});

t.test('a trusted peer on the socket tells who the client is; another one is unknown, whatever it says', (t) => {
  const trusted = compileTrustedProxies(['unix', '10.0.0.0/8']);
  const of = (values: readonly string[], proxies = trusted) => resolveClientAddress(ON_SOCKET, values, proxies);
  t.match(of(['203.0.113.7']), { text: '203.0.113.7', fromTrustedProxy: true, forwardedFor: '203.0.113.7' });
  t.match(of(['192.0.2.1, 203.0.113.7, 10.0.0.1']), { text: '203.0.113.7', forwardedFor: '203.0.113.7, 10.0.0.1' });
  t.match(of(['unix']), { text: 'unknown', address: null }, 'the word is no entry of the header');
  t.match(of([]), { text: 'unknown', address: null, fromTrustedProxy: true, forwardedFor: 'unknown' });
  const stranger = of(['203.0.113.7'], compileTrustedProxies(['10.0.0.0/8']));
  t.match(stranger, { text: 'unknown', address: null, fromTrustedProxy: false, forwardedFor: 'unknown' });
  t.end();
});
