import fc from 'fast-check';
import t from 'tap';
import { formatAddress, parseAddress, type Address } from '../../src/lib/address.ts';
import { compileAddressSet, parseCidr } from '../../src/lib/cidr.ts';
import { addressText, endsOf, rangeOf, readAddressText, UNKNOWN_ADDRESS } from '../../src/observe/address-value.ts';

const address = fc
  .oneof(
    fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 2, maxLength: 2 }),
    // Beginning beyond what is mapped to IPv4.
    fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 7, maxLength: 7 }).map((units) => [0x2001, ...units]),
  )
  .map((units) => String.fromCharCode(...units) as Address);

t.test('a range holds its address, as its text says', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(address, (one) => {
        const range = rangeOf(one);
        const parsed = parseCidr(addressText(range));
        if (!parsed.ok) throw new Error(parsed.why);
        const [first, last] = endsOf(range) ?? [];
        return (
          compileAddressSet([parsed.value]).has(one) &&
          parsed.value.first === first &&
          parsed.value.last === last &&
          rangeOf(range) === range
        );
      }),
    ),
  );
  t.equal(addressText(rangeOf(parseAddress('203.0.113.7') ?? '')), '203.0.113.0/24');
  t.equal(addressText(rangeOf(parseAddress('2001:db8:1:2:3::4') ?? '')), '2001:db8:1:2::/64');
  t.end();
});

t.test('text and value are the same thing', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(address, fc.boolean(), (one, joined) => {
        const value = joined ? rangeOf(one) : one;
        return readAddressText(addressText(value)) === value;
      }),
    ),
  );
  t.doesNotThrow(() => fc.assert(fc.property(address, (one) => addressText(one) === formatAddress(one))));
  t.end();
});

t.test('the address that could not be known is no range, and is on none', (t) => {
  t.equal(addressText(UNKNOWN_ADDRESS), 'unknown');
  t.equal(readAddressText('unknown'), UNKNOWN_ADDRESS);
  t.equal(rangeOf(UNKNOWN_ADDRESS), UNKNOWN_ADDRESS);
  t.equal(endsOf(UNKNOWN_ADDRESS), null);
  t.end();
});

t.test('nothing else is read', (t) => {
  for (const text of [
    '',
    '1.2.3',
    '10.0.0.0/8',
    '10.0.0.0/25',
    '10.0.0.1/24',
    '2001:db8::/48',
    'unknown ',
    '1.2.3.4:80',
  ])
    t.equal(readAddressText(text), null, text);
  t.end();
});
