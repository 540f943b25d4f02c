import t from 'tap';
import { trimOptionalSpace } from '../../src/lib/optional-space.ts';

void t.test('takes away spaces and tabs at the ends, and nothing else', async (t) => {
  t.equal(trimOptionalSpace(' \t a \t b\t '), 'a \t b');
  t.equal(trimOptionalSpace(' \t '), '');
  t.equal(trimOptionalSpace(''), '');
  for (const kept of ['\u00a0a\u00a0', '\na\r', '\va\f', '\u3000a']) t.equal(trimOptionalSpace(kept), kept);
});
