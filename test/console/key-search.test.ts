/** Finding a key among many, and the table's state in the address of the page. */
import t from 'tap';
import type { KeyDefinition } from '../../src/admin/console/api/types.ts';
import { finderOf } from '../../src/admin/console/keys/key-search.ts';
import { filterOf, NO_FILTER, sortingOf, viewOf } from '../../src/admin/console/keys/keys-view.ts';
import { trafficOf } from '../../src/admin/console/keys/traffic.ts';

const definition = {
  description: 'Shop of Anna',
  policy: 'partners',
  allowFrom: [{ address: '203.0.113.0/24', description: 'Office' }, { list: 'vpn' }],
  denyFrom: [{ address: '2001:db8::1', description: '' }],
  allowedEvents: ['page_view'],
  secrets: [{ id: '0123456789ab', expiresAt: null }],
  apiKey: { id: 'feedfacecafe' },
} as unknown as KeyDefinition;

void t.test('by id, description, policy, address, event and secret', async (t) => {
  const meant = (wanted: string): boolean => finderOf(wanted)({ id: 'web', definition });
  for (const wanted of [
    '',
    'we',
    'anna',
    'partn',
    '203.0.113.',
    '203.0.113.77',
    'offi',
    'vpn',
    '2001:db8',
    'page_v',
    '0123',
    'feedface',
  ])
    t.equal(meant(wanted), true, wanted);
  for (const wanted of ['203.0.114.1', '999.0.113.7', 'nobody', '3456', '2001:db9'])
    t.equal(meant(wanted), false, wanted);
  t.equal(finderOf('anna')({ id: 'web', definition: null }), false);
  t.equal(finderOf('vpn')({ id: 'web', definition: { ...definition, allowFrom: 'anywhere', apiKey: null } }), false);
});

void t.test('filter and order come back from the address, and nonsense there is nothing', async (t) => {
  const filter = { text: 'a&b', type: 'metrics', state: 'expired' } as const;
  const sorting = { column: 'refused', descending: true } as const;
  const view = viewOf(filter, sorting);
  t.same([filterOf(view), sortingOf(view)], [filter, sorting]);
  t.same(viewOf(NO_FILTER, { column: 'id', descending: false }), { text: '', type: '', state: '', sort: '' });
  t.same(filterOf({ type: 'x', state: '' }), NO_FILTER);
  t.same(sortingOf({ sort: 'constructor' }), { column: 'id', descending: false });
});

void t.test('the traffic of one key among all', async (t) => {
  const counts = (byKey: Record<string, number>) => ({ total: 9, byReason: {}, byKey });
  const minute = (time: string, enforce: Record<string, number>, report: Record<string, number>) =>
    ({ time, enforce: counts(enforce), report: counts(report) }) as never;
  const minutes = [minute('t1', { web: 2, other: 5 }, {}), minute('t2', {}, { web: 3 })];
  const requests = { total: 70, byKey: { web: 60 } };
  t.same(trafficOf({ minutes, requests }, 'web'), {
    minutes: [
      { time: 't1', refused: 2, wouldRefuse: 0 },
      { time: 't2', refused: 0, wouldRefuse: 3 },
    ],
    requests: 60,
    refused: 2,
    wouldRefuse: 3,
  });
  t.match(trafficOf({ minutes, requests: { total: 0, byKey: {} } }, 'other'), { requests: 5, refused: 5 });
});
