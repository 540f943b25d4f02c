import t from 'tap';
import { beginKey, cellsIn, countForKey, createKeyCells } from '../../src/observability/key-cells.ts';
import { refusal } from '../../src/refusal.ts';
import { key, NOON, outcome } from '../support/outcomes.ts';

t.test('what an alert waits for begins at 0, in both modes, in each API that a key meets', async (t) => {
  const cells = beginKey(key('k'));
  t.equal(cells.byApi.size, 0);
  const { rejections } = cellsIn(cells, 'orders');
  for (const byReason of [rejections.enforce, rejections.report])
    t.same(
      [...byReason].map(([reason, { labels, value }]) => [reason, labels['api'], value]),
      [
        ['disabled', 'orders', 0],
        ['expired', 'orders', 0],
      ],
    );
  t.equal(cellsIn(cells, 'orders').rejections, rejections, 'once');
  t.equal(cellsIn(cells, '').rejections.enforce.size, 0, 'not where no API was found');
  t.equal(cellsIn(createKeyCells('', false), 'orders').rejections.enforce.size, 0, 'nor for callers without a key');
});

t.test('statuses of the classes of HTTP have series of their own, from the first to the last', async (t) => {
  const cells = createKeyCells('k', false);
  for (const status of [99, 100, 599, 600, 600]) countForKey(cells, outcome({ status }));
  const counted = [...cellsIn(cells, 'integration').requests.values()].map(({ labels, value }) => [
    labels['status'],
    value,
  ]);
  t.same(counted, [
    ['other', 3],
    [100, 1],
    [599, 1],
  ]);
});

t.test('a secret is noted with the time of its latest use, and none of callers without a key', async (t) => {
  const cells = createKeyCells('k', false);
  countForKey(cells, outcome({ secretId: 'aa' }));
  countForKey(cells, outcome({ secretId: 'aa', now: NOON + 500 }));
  countForKey(cells, outcome());
  t.same([...cells.secrets.values()], [{ labels: { key: 'k', secret: 'aa' }, value: NOON / 1000 + 0.5 }]);
  const unknown = createKeyCells('', false);
  countForKey(unknown, outcome({ secretId: 'aa' }));
  t.equal(unknown.secrets.size, 0);
});

t.test('in report mode events that would have been taken count as forwarded', async (t) => {
  const cells = createKeyCells('k', false);
  const events = { forwardedEvents: 1, removedEvents: 20, rejectedEvents: 300 };
  countForKey(cells, outcome({ ...events, wouldReject: refusal('event_not_allowed', 'no') }));
  t.same([cells.forwarded.value, cells.removed.value, cells.rejected.value], [321, 0, 0]);
  countForKey(cells, outcome(events));
  t.same([cells.forwarded.value, cells.removed.value, cells.rejected.value], [322, 20, 300]);
});
