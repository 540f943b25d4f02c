import t from 'tap';
import { ownText } from '../../src/lib/own-text.ts';

t.test('a copy says the same', async (t) => {
  for (const text of ['', '/a', '/\u00e9\u20ac\ud83d\ude00', 'x'.repeat(2000)]) t.equal(ownText(text), text);
});
