import t from 'tap';
import { announcesBody, declaredLength } from '../../src/policy/facts.ts';
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

t.test('the length that is declared', async (t) => {
  const length = (...fields: string[]) => declaredLength(factsOf({}, fields));
  t.equal(length(), null);
  t.equal(length('Transfer-Encoding', 'chunked'), null);
  t.equal(length('Content-Length', '0'), 0);
  t.equal(length('Content-Length', '9007199254740991'), Number.MAX_SAFE_INTEGER);
});
