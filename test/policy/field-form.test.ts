import t from 'tap';
import { nameProblem, valueProblem } from '../../src/policy/field-form.ts';

t.test('a name is a token', async (t) => {
  for (const name of ['Host', 'x', "!#$%&'*+.^_`|~", 'content_type', 'X.Y']) t.equal(nameProblem(name), null, name);
  for (const name of ['', ' ', 'a b', 'a:', 'X-\u00e9', 'a\0', 'a\n', 'Content-Length ', '(a)', '"a"'])
    t.equal(nameProblem(name), 'a header field name is not a token', JSON.stringify(name));
});

t.test('no name that a folding server would take for framing', async (t) => {
  const lookAlikes = ['Content_Length', 'content.length', 'TRANSFER_ENCODING', 'Transfer.encoding', 'Content~Length'];
  for (const name of lookAlikes) t.match(nameProblem(name), /could be read as/, name);
  for (const name of ['Content-Length', 'transfer-encoding', 'Content_Lengths', 'contentXlength'])
    t.equal(nameProblem(name), null, name);
});

t.test('a value holds no control character but the tab', async (t) => {
  for (let code = 0; code <= 0xff; code++) {
    const isControl = (code < 0x20 && code !== 0x09) || code === 0x7f;
    t.equal(valueProblem(`a${String.fromCharCode(code)}b`) !== null, isControl, `character ${code}`);
  }
  t.equal(valueProblem(''), null);
});
