import t from 'tap';
import { announcesBody } from '../../src/policy/facts.ts';
import { factsOf } from '../support/passages.ts';

t.test('whether a body is announced', async (t) => {
  const announces = (...fields: string[]) => announcesBody(factsOf({}, fields));
  t.equal(announces(), false);
  t.equal(announces('Content-Length', '0'), false);
  t.equal(announces('Content-Length', '1'), true);
  t.equal(announces('Content-Length', '00'), true, 'what is odd is read or closed');
  t.equal(announces('Transfer-Encoding', 'chunked'), true);
  t.equal(announces('Transfer-Encoding', ''), true);
});
