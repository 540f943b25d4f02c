import { getEventListeners } from 'node:events';
import t from 'tap';
import { compileListText } from '../../src/keys/compile-list-text.ts';
import { readListText } from '../../src/keys/list-text.ts';

const SHORT = '192.0.2.0/24\n2001:db8::/32\n';
const LONG = Array.from({ length: 3000 }, (_, n) => `10.${n >> 8}.${n & 255}.0/24\n`).join('');

t.test('a long text says the same as a short one, and requests are served meanwhile', async (t) => {
  const { signal } = new AbortController();
  t.same(await compileListText(SHORT, signal), readListText(SHORT));
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  t.same(await compileListText(LONG, signal), readListText(LONG));
  t.ok(turns > 0);
  clearInterval(turning);
  const wrong = `${LONG}nonsense\n`;
  t.same(await compileListText(wrong, signal), readListText(wrong));
  while (getEventListeners(signal, 'abort').length > 0) await new Promise(setImmediate);
  t.same(getEventListeners(signal, 'abort'), [], 'and nothing is held on to');
});

t.test('what is given up ends, and what was given up does not begin', async (t) => {
  const given = new AbortController();
  const reading = compileListText(LONG, given.signal);
  given.abort();
  await t.rejects(reading, /ended too early/);
  await t.rejects(compileListText(LONG, given.signal), { name: 'AbortError' });
  t.equal((await compileListText(SHORT, given.signal)).ok, true, 'a short one is no work');
});
