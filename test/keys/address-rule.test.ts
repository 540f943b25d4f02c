import t from 'tap';
import { ANYWHERE, compileAllowRule, compileDenyRule, NOWHERE } from '../../src/keys/address-rule.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { compileAddressSet, parseCidr } from '../../src/lib/cidr.ts';

const NONE = new Map();
const setOf = (...ranges: string[]) =>
  compileAddressSet(
    ranges.map((range) => {
      const parsed = parseCidr(range);
      if (!parsed.ok) throw new Error(parsed.why);
      return parsed.value;
    }),
  );
const LISTS = new Map([['office', setOf('203.0.113.0/28', '2001:db8::/48')]]);
const ENTRIES = [{ address: '192.0.2.7' }, { list: 'office' }];
const OF_EACH = ['192.0.2.7', '203.0.113.15', '2001:db8::1', '203.0.113.16', '2001:db9::1'].map((text) =>
  parseAddress(text),
);

t.test('a rule holds for its own ranges and for those of the lists that it names', async (t) => {
  for (const rule of [compileAllowRule(ENTRIES), compileDenyRule(ENTRIES)])
    t.same(
      OF_EACH.map((address) => rule.holds(address, LISTS)),
      [true, true, true, false, false],
    );
});

t.test('a list is looked up at each question', async (t) => {
  const rule = compileAllowRule(ENTRIES);
  const moved = new Map([['office', setOf('203.0.113.16')]]);
  t.same(
    OF_EACH.map((address) => rule.holds(address, moved)),
    [true, false, false, true, false],
  );
});

t.test('what cannot be known lets nobody in and keeps everybody out', async (t) => {
  const outsider = parseAddress('198.51.100.1');
  t.equal(compileAllowRule(ENTRIES).holds(null, LISTS), false);
  t.equal(compileDenyRule(ENTRIES).holds(null, LISTS), true);
  t.equal(compileAllowRule(ENTRIES).holds(outsider, NONE), false, 'a list that is not there');
  t.equal(compileDenyRule(ENTRIES).holds(outsider, NONE), true, 'a list that is not there');
  t.equal(compileDenyRule([{ address: '192.0.2.7' }]).holds(outsider, NONE), false);
});

t.test('everybody and nobody', async (t) => {
  const address = parseAddress('192.0.2.7');
  t.equal(compileAllowRule('anywhere'), ANYWHERE);
  t.equal(compileDenyRule([]), NOWHERE);
  t.same([ANYWHERE.holds(address, NONE), ANYWHERE.holds(null, NONE)], [true, true]);
  t.same([NOWHERE.holds(address, NONE), NOWHERE.holds(null, NONE)], [false, false]);
  t.same([ANYWHERE.entryOf(address, NONE), NOWHERE.entryOf(address, NONE)], [null, null]);
  const nobody = compileAllowRule([]);
  t.same([nobody.holds(address, NONE), nobody.holds(null, NONE)], [false, false], 'an empty list');
});

t.test('which entry holds an address', async (t) => {
  const rule = compileDenyRule(ENTRIES);
  t.strictSame(
    OF_EACH.map((address) => rule.entryOf(address, LISTS)),
    [
      { list: null, range: '192.0.2.7' },
      { list: 'office', range: '203.0.113.0/28' },
      { list: 'office', range: '2001:db8::/48' },
      null,
      null,
    ],
  );
  t.equal(rule.entryOf(null, LISTS), null);
  t.equal(rule.entryOf(parseAddress('203.0.113.1'), NONE), null);
});

t.test('a rule says what was written, without descriptions', async (t) => {
  const entries = [{ address: '192.0.2.7', description: 'HQ' }, { list: 'office' }];
  const written = [{ address: '192.0.2.7' }, { list: 'office' }];
  t.same(compileAllowRule(entries).written(), written);
  t.same(compileDenyRule(entries).written(), written);
  t.same([ANYWHERE.written(), NOWHERE.written(), compileAllowRule([]).written()], ['anywhere', [], []]);
});

t.test('what is no range is none, and nobody is let in by it', async (t) => {
  const rule = compileAllowRule([{ address: '192.0.2.7/24' }]);
  t.throws(() => rule.holds(parseAddress('192.0.2.7'), NONE), /^192\.0\.2\.7\/24 has host bits set/);
});
