import t from 'tap';
import { DayCounts } from '../../src/observe/day-counts.ts';
import { addressText } from '../../src/observe/address-value.ts';
import { costOf } from '../../src/observe/tallies.ts';
import { seenAt } from '../support/observed.ts';

const anyRoom = (): boolean => true;
const addressesIn = (counts: DayCounts): string[] => [...counts.addresses.good.keys()].map(addressText);

t.test('a good request counts everywhere, one that was refused by its reason', (t) => {
  const counts = new DayCounts(anyRoom);
  counts.count(seenAt(20, { event: 'login', origin: 'https://a.example' }));
  counts.count(seenAt(10, { good: false, reason: 'ip_not_allowed', address: '192.0.2.9', event: 'bad' }));
  t.same([counts.requests, counts.good, counts.firstSeen, counts.lastSeen], [2, 1, 10, 20]);
  t.same(addressesIn(counts), ['198.51.100.1']);
  t.same([...counts.events.good.keys()], ['login']);
  t.same([...counts.origins.good.keys()], ['https://a.example']);
  t.same(counts.routes.good.get('integration listed POST /event/ingest'), {
    requests: 2,
    good: 1,
    firstSeen: 20,
    lastSeen: 20,
  });
  t.same([...counts.refused], [['ip_not_allowed', { requests: 1, good: 0, firstSeen: 10, lastSeen: 10 }]]);
  t.same([counts.peaks.perSecond, counts.peaks.perMinute], [1, 1], 'what was refused before the rate is no peak');
  counts.count(seenAt(30, { good: false, reason: 'backend_404', paced: true }));
  t.same([counts.peaks.perSecond, counts.peaks.perMinute], [2, 2], 'what a limit would have counted is');
  t.end();
});

t.test('events that were cut out were not let through, although their request was', (t) => {
  const counts = new DayCounts(anyRoom);
  counts.count({ ...seenAt(5), events: { passed: ['a', 'b'], removed: ['c'] } });
  t.same([...counts.events.good.keys()], ['a', 'b']);
  t.same([...counts.events.others.keys()], ['c']);
  t.end();
});

t.test('what stands in the way of a stricter key counts only when it was good', (t) => {
  const counts = new DayCounts(anyRoom);
  counts.count(seenAt(5, { obstacle: 'forms' }));
  counts.count(seenAt(6, { obstacle: 'forms', good: false, reason: 'backend_500' }));
  counts.countObstacle('unreadable_events', 7);
  t.same(
    [...counts.obstacles].map(([name, { requests }]) => [name, requests]),
    [
      ['forms', 1],
      ['unreadable_events', 1],
    ],
  );
  t.end();
});

t.test('a path that cannot be written down is missed, if it was good', (t) => {
  const counts = new DayCounts(anyRoom);
  t.equal(counts.count(seenAt(5, { route: '' })), 1);
  t.equal(counts.count(seenAt(5, { route: '', good: false, reason: 'backend_404' })), 0);
  t.equal(counts.count(seenAt(5, { route: null })), 0);
  t.same([counts.routes.truncated, counts.routes.good.size], [1, 0]);
  t.end();
});

t.test('the 257th address joins all into ranges, once; what then finds no room is missed', (t) => {
  const counts = new DayCounts(anyRoom);
  for (let i = 0; i < 256; i++) counts.count(seenAt(i, { address: `10.0.${i >> 4}.${i}` }));
  t.equal(counts.addresses.good.size, 256);
  t.equal(counts.count(seenAt(300, { address: '10.0.0.200' })), 0);
  t.equal(counts.addresses.good.size, 16);
  t.same(addressesIn(counts).slice(0, 2), ['10.0.0.0/24', '10.0.1.0/24']);
  t.equal(counts.addresses.good.get([...counts.addresses.good.keys()][0] ?? '')?.requests, 17);
  for (let i = 0; i < 240; i++) counts.count(seenAt(i, { address: `10.1.${i}.1` }));
  t.equal(counts.count(seenAt(300, { address: '10.2.0.1' })), 1);
  t.equal(counts.count(seenAt(300, { address: '10.1.7.99' })), 0, 'a known range goes on counting');
  t.same([counts.addresses.good.size, counts.addresses.truncated], [256, 1]);
  t.end();
});

t.test('addresses that were only refused join nothing, and take no room of the good ones', (t) => {
  const counts = new DayCounts(anyRoom);
  for (let i = 0; i < 5000; i++)
    counts.count(seenAt(i, { address: `10.${i >> 8}.${i & 255}.1`, good: false, reason: 'ip_not_allowed' }));
  t.equal(counts.count(seenAt(6000)), 0);
  t.notOk(counts.joined);
  t.same(addressesIn(counts), ['198.51.100.1']);
  t.equal(counts.addresses.truncated, 0);
  t.end();
});

t.test('a refused address moves into the range of its good neighbours', (t) => {
  const counts = new DayCounts(anyRoom);
  counts.count(seenAt(1, { address: '10.0.0.1', good: false, reason: 'backend_404' }));
  counts.count(seenAt(2, { address: '10.0.0.2' }));
  counts.joinAddresses();
  t.same(addressesIn(counts), ['10.0.0.0/24']);
  t.same([...counts.addresses.good.values()], [{ requests: 2, good: 1, firstSeen: 1, lastSeen: 2 }]);
  t.equal(counts.addresses.others.size, 0);
  t.end();
});

t.test('adding joins everything, as if one had counted it all', (t) => {
  const one = new DayCounts(anyRoom);
  const two = new DayCounts(anyRoom);
  const both = new DayCounts(anyRoom);
  for (let i = 0; i < 400; i++) {
    const seen = seenAt(i * 500, {
      address: `10.0.${i % 40}.${i % 7}`,
      event: `e${i % 300}`,
      ...(i % 5 === 0 ? { good: false, reason: 'backend_500' } : {}),
    });
    (i % 2 === 0 ? one : two).count(seen);
    both.count(seen);
  }
  one.add(two);
  t.same(
    [one.requests, one.good, one.firstSeen, one.lastSeen],
    [both.requests, both.good, both.firstSeen, both.lastSeen],
  );
  t.equal(one.joined, both.joined);
  t.same(new Set(one.addresses.good.keys()), new Set(both.addresses.good.keys()));
  t.equal(one.refused.get('backend_500')?.requests, both.refused.get('backend_500')?.requests);
  t.equal(one.peaks.perMinute, both.peaks.perMinute);
  t.end();
});

t.test('what is added to ranges is counted in ranges, and joins when there is no room', (t) => {
  const joined = new DayCounts(anyRoom);
  joined.joinAddresses();
  const single = new DayCounts(anyRoom);
  single.count(seenAt(1, { address: '192.0.2.7' }));
  joined.add(single);
  t.same(addressesIn(joined), ['192.0.2.0/24']);
  single.add(joined);
  t.same(addressesIn(single), ['192.0.2.0/24'], 'and the other way round');
  const full = new DayCounts(anyRoom);
  for (let i = 0; i < 256; i++) full.count(seenAt(1, { address: `10.0.0.${i}` }));
  const more = new DayCounts(anyRoom);
  more.count(seenAt(1, { address: '10.0.1.1' }));
  t.equal(full.add(more), 0);
  t.same(addressesIn(full), ['10.0.0.0/24', '10.0.1.0/24']);
  t.end();
});

t.test('it knows what it costs, also after joining', (t) => {
  let bytes = 0;
  const counts = new DayCounts((more) => {
    bytes += more;
    return true;
  });
  const empty = counts.bytes;
  counts.count(seenAt(1, { route: null, address: '10.0.0.1' }));
  counts.count(seenAt(1, { route: null, address: '10.0.0.2' }));
  t.equal(bytes, 2 * costOf('ab'));
  counts.joinAddresses();
  t.equal(bytes, costOf('ab'));
  t.equal(counts.bytes - empty, bytes);
  const mixed = new DayCounts(anyRoom);
  mixed.count(seenAt(1, { route: null, address: '10.0.0.1' }));
  mixed.count(seenAt(1, { route: null, address: '10.0.0.2', good: false, reason: 'unknown' }));
  t.equal(mixed.bytes - empty, 2 * costOf('ab'));
  mixed.joinAddresses();
  t.equal(
    mixed.bytes - empty,
    2 * costOf('ab') - costOf('ab/'),
    'what was refused there alone has no place of its own any more',
  );
  t.end();
});

t.test('without room nothing new is kept, and it is said', (t) => {
  const counts = new DayCounts(() => false);
  t.equal(counts.count(seenAt(1, { event: 'a', origin: 'https://a' })), 4);
  t.same([counts.requests, counts.addresses.truncated, counts.events.truncated], [1, 1, 1]);
  t.end();
});

t.test('adding what holds no request makes no time pass', (t) => {
  const counts = new DayCounts(anyRoom);
  counts.count(seenAt(1000));
  const events = new DayCounts(anyRoom);
  events.countEvents({ passed: ['a'], removed: ['b'] }, true, 2000);
  events.countObstacle('forms', 2000);
  t.equal(counts.add(events), 0);
  t.same([counts.requests, counts.good, counts.firstSeen, counts.lastSeen], [1, 1, 1000, 1000]);
  t.same([...counts.events.good.keys(), ...counts.events.others.keys()], ['a', 'b']);
  t.equal(counts.obstacles.get('forms')?.requests, 1);
  t.end();
});

t.test('addresses are joined where there are too many, not where there is no memory for one more', (t) => {
  const other = new DayCounts(anyRoom);
  other.count(seenAt(1, { address: '10.0.0.2' }));
  other.count(seenAt(2, { address: '10.0.0.2' }));
  let room = true;
  const counts = new DayCounts(() => room);
  counts.count(seenAt(1, { address: '10.0.0.1' }));
  room = false;
  t.equal(counts.add(other), 2);
  t.equal(counts.count(seenAt(1, { address: '10.0.0.3' })), 1);
  t.notOk(counts.joined);
  t.same(addressesIn(counts), ['10.0.0.1']);
  t.equal(counts.addresses.truncated, 3);
  t.end();
});
