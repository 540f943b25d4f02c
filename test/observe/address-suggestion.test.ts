import t from 'tap';
import { suggestAddresses } from '../../src/observe/address-suggestion.ts';
import { addressText, rangeOf } from '../../src/observe/address-value.ts';
import { parseAddress } from '../../src/lib/address.ts';

const tally = (good: number, firstSeen = 1, lastSeen = firstSeen) => ({ requests: good, good, firstSeen, lastSeen });
const valueOf = (text: string): string => parseAddress(text) ?? '';
const suggested = (seen: readonly (readonly [string, number])[]) =>
  suggestAddresses(new Map(seen.map(([value, good], i) => [value, tally(good, i)]))).map(({ value, tally }) => [
    value,
    tally.good,
    tally.firstSeen,
    tally.lastSeen,
  ]);
const many = (count: number, of: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => [valueOf(of(i)), 2] as const);

t.test('addresses stay as they are until sixteen of one range were seen', async (t) => {
  t.same(suggested([[valueOf('203.0.113.7'), 3]]), [['203.0.113.7', 3, 0, 0]]);
  t.equal(suggested(many(15, (i) => `203.0.113.${i}`)).length, 15);
  t.same(suggested(many(16, (i) => `203.0.113.${i}`)), [['203.0.113.0/24', 32, 0, 15]]);
  t.equal(suggested(many(16, (i) => `203.0.${i}.7`)).length, 16, 'of sixteen ranges');
  t.same(suggested(many(16, (i) => `2001:db8::${i}`)), [['2001:db8::/64', 32, 0, 15]]);
  t.equal(suggested(many(16, (i) => `2001:db8:0:${i}::1`)).length, 16);
});

t.test('an address whose range was seen as one is told with it', async (t) => {
  const range = rangeOf(valueOf('203.0.113.1'));
  t.equal(addressText(range), '203.0.113.0/24');
  t.same(
    suggested([
      [valueOf('203.0.113.7'), 3],
      [range, 10],
      [valueOf('198.51.100.1'), 1],
    ]),
    [
      ['203.0.113.0/24', 13, 0, 1],
      ['198.51.100.1', 1, 2, 2],
    ],
  );
});

t.test('what was seen is not changed by what is suggested of it', async (t) => {
  const seen = new Map(many(16, (i) => `203.0.113.${i}`).map(([value]) => [value, tally(1)]));
  suggestAddresses(seen);
  suggestAddresses(seen);
  t.ok([...seen.values()].every(({ good }) => good === 1));
});
