import t from 'tap';
import { acceptableRequestId, requestIds } from '../../src/data-port/request-id.ts';

t.test('identifiers differ, in a process and between processes, and are acceptable themselves', async (t) => {
  const [one, other] = [requestIds(), requestIds()];
  const ids = new Set(Array.from({ length: 1000 }, (_, n) => (n % 2 === 0 ? one() : other())));
  t.equal(ids.size, 1000);
  for (const id of ids) if (acceptableRequestId(id) !== id) t.fail(id);
});

t.test('what a client may choose', async (t) => {
  for (const id of ['a', 'A.b_c-9', 'x'.repeat(128)]) t.equal(acceptableRequestId(id), id);
  for (const id of [undefined, '', 'x'.repeat(129), 'a b', 'a\n', 'a"', 'caf\u00e9', '\u0130'])
    t.equal(acceptableRequestId(id), null, JSON.stringify(id));
});

t.test('an identifier is random in its first part, and counts in the second', async (t) => {
  const next = requestIds();
  const ids = Array.from({ length: 37 }, next);
  const [prefix = ''] = (ids[0] ?? '').split('.');
  t.match(prefix, /^[0-9A-Za-z]{12}$/);
  t.equal(ids[0], `${prefix}.0`);
  t.equal(ids[36], `${prefix}.10`);
  t.not((requestIds()().split('.') as [string])[0], prefix);
  for (let n = 0; n < 200; n++) if (/[_-]/.test(requestIds()())) t.fail('a prefix that is no word');
});
