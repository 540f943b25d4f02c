import t from 'tap';
import { tellsItsEnd } from '../../src/upstream/answer-framing.ts';

void t.test('an answer tells its end by a length or a coding', (t) => {
  t.ok(tellsItsEnd(['A', 'b', 'content-LENGTH', '2']));
  t.ok(tellsItsEnd(['Transfer-Encoding', 'chunked']));
  t.notOk(tellsItsEnd(['Content-Length-Of-Old', '2', 'TE', 'content-length']));
  t.end();
});
