import t from 'tap';
import { beginKey, countForKey, createKeyCells } from '../../src/observability/key-cells.ts';
import { refusal } from '../../src/refusal.ts';
import { key, NOON, outcome } from '../support/outcomes.ts';

t.test('what an alert waits for begins at 0, in both modes, for the API that the key is for', async (t) => {
  const begun = (type: 'write-only' | 'metrics') => {
    const { rejections } = beginKey(key('k', { type }));
    return [rejections.enforce, rejections.report].map(({ integration, metrics, '': none }) => [
      [...integration.keys()],
      [...metrics.keys()],
      [...none.keys()],
    ]);
  };
  const both = ['disabled', 'expired'];
  t.same(begun('write-only'), [
    [both, [], []],
    [both, [], []],
  ]);
  t.same(begun('metrics'), [
    [[], both, []],
    [[], both, []],
  ]);
  t.equal(beginKey(key('k')).rejections.enforce.integration.get('expired')?.value, 0);
});

t.test('statuses of the classes of HTTP have series of their own, from the first to the last', async (t) => {
  const cells = createKeyCells('k', false);
  for (const status of [99, 100, 599, 600, 600]) countForKey(cells, outcome({ status }));
  const counted = [...cells.requests.integration.values()].map(({ labels, value }) => [labels['status'], value]);
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
