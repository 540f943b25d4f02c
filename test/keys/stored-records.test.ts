import t from 'tap';
import { createStoredRecords, readStoredList, readStoredPolicy } from '../../src/keys/stored-records.ts';

const of = (values: Record<string, string | null>) => new Map(Object.entries(values));
const NONE = of({});

t.test('policies and lists as they are stored', async (t) => {
  t.same(readStoredPolicy('p', '{"type":"read-only","rateLimit":null}'), {
    id: 'p',
    definition: { type: 'read-only', rateLimit: null },
  });
  t.match(readStoredPolicy('p', '{"secret":"hunter2hunter2"}'), { invalid: /^secret cannot stand in a policy/ });
  t.match(readStoredPolicy('P', '{}'), { invalid: /name/ });
  for (const broken of ['', '{', 'null', '7', '[]']) t.match(readStoredPolicy('p', broken), { invalid: /./ }, broken);
  t.match(readStoredList('l', '["192.0.2.1"]'), { definition: { kind: 'literal' } });
  t.match(readStoredList('l', '{"url":"https://example.com/x"}'), { definition: { kind: 'url', refreshMinutes: 60 } });
  t.match(readStoredList('l', '{"file":"x"}'), { invalid: /in a file/ });
  for (const broken of ['', '{', 'null', '7', '{}', '["192.0.2.1/24"]'])
    t.match(readStoredList('l', broken), { invalid: /./ }, broken);
});

t.test('a change tells for which keys it matters', async (t) => {
  const book = createStoredRecords();
  const first = { policies: of({ p: '{}', q: '{}' }), lists: of({ l: '["192.0.2.1"]', m: '[' }) };
  t.same(book.take(first, true), { touched: new Set(['policy:p', 'policy:q', 'list:l']), changed: true });
  const before = book.records();
  t.same(book.take(first, true), { touched: new Set(), changed: false });
  t.equal(book.records(), before, 'nothing new');
  const content = { policies: NONE, lists: of({ l: '["192.0.2.2"]' }) };
  t.same(book.take(content, false), { touched: new Set(), changed: true }, 'what a list holds matters to no key');
  t.not(book.records(), before);
  t.match(before.lists.get('l'), { definition: { entries: [{ address: '192.0.2.1' }] } }, 'old ones do not change');
  t.same(book.take({ policies: of({ p: '{"mode":"report"}' }), lists: of({ l: '{', m: '[]' }) }, false), {
    touched: new Set(['policy:p', 'list:l', 'list:m']),
    changed: true,
  });
  t.same(
    book.take({ policies: of({ p: '{"mode":"report"}' }), lists: NONE }, true).touched,
    new Set(['policy:q', 'list:m']),
  );
  t.same([...book.records().policies.keys()], ['p']);
});
