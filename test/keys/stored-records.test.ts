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

t.test('a name is as long as an id may be', async (t) => {
  const policy = (name: string) => readStoredPolicy(name, '{}');
  for (const name of ['a', '0', 'a.b_c-9', 'a'.repeat(64)]) t.same(policy(name), { id: name, definition: {} });
  for (const name of ['', '-a', 'a b', 'a\n', 'a'.repeat(65)])
    t.same(policy(name), { id: name, invalid: 'its name is none' });
  t.same(readStoredList('L', '[]'), { id: 'L', invalid: 'its name is none' });
});

t.test('what goes is gone, for good and for its keys', async (t) => {
  const book = createStoredRecords();
  book.take({ policies: of({ p: '{}', q: '{' }), lists: of({ l: '[]', m: '{' }) }, true);
  t.same(book.take({ policies: of({ p: null, none: null }), lists: of({ l: null, m: null }) }, false), {
    touched: new Set(['policy:p', 'list:l']),
    changed: true,
  });
  t.same([[...book.records().policies.keys()], book.records().lists.size], [['q'], 0]);
  t.same(book.take({ policies: of({ p: null }), lists: of({ l: null }) }, false), {
    touched: new Set(),
    changed: false,
  });
});
