import t from 'tap';
import { historyOperation } from '../../src/admin/history-operation.ts';
import type { HistoryChange } from '../../src/admin/history/change.ts';
import { asking } from '../support/admin-operations.ts';
import { NOON } from '../support/outcomes.ts';

const isoNoon = new Date(NOON).toISOString();

t.test('the history by key and by admin, newest first, with why some may be missing', async (t) => {
  const change = (who: string, target: string, kind: HistoryChange['kind'] = 'key'): HistoryChange => ({
    time: isoNoon,
    who,
    address: null,
    action: `replace_${kind}`,
    kind,
    target,
    fields: {},
  });
  const changes = [
    change('anna', 'web'),
    change('file', 'web'),
    change('anna', 'web', 'policy'),
    change('anna', 'other'),
  ];
  const ask = asking([historyOperation({ read: async () => ({ changes, why: 'Redis is away.' }) })]);
  const found = async (query: object) => {
    const { body } = await ask('listChanges', { query });
    return body.changes.map((one: HistoryChange) => changes.indexOf(one));
  };
  const { status, body } = await ask('listChanges');
  t.same([status, body], [200, { changes, why: 'Redis is away.' }]);
  t.same(await found({ key: 'web' }), [0, 1], 'a policy of that name is another thing');
  t.same(await found({ who: 'anna' }), [0, 2, 3]);
  t.same(await found({ who: 'anna', key: 'web' }), [0]);
  t.same(await found({ key: '' }), []);
  t.same(await found({ limit: '3' }), [0, 1, 2]);
  t.same(await found({ limit: '2', who: 'anna' }), [0, 2]);
  for (const query of [
    { limit: '0' },
    { limit: ['1', '2'] },
    { key: ['a', 'b'] },
    { who: 'x'.repeat(16_385) },
    { x: '' },
  ])
    t.equal((await ask('listChanges', { query })).status, 422, JSON.stringify(query).slice(0, 40));
});
