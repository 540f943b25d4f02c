import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { readYamlText } from '../../src/config/document.ts';
import { readJsonText } from '../../src/config/json-text.ts';

const yaml = (text: string) => readYamlText(text, { file: 'x.yaml', env: {}, schema: {} });

t.test('what is read as JSON is what YAML says', async (t) => {
  let read = 0;
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.nat(3), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const json = readJsonText(text);
      if (json === undefined) return true;
      read += 1;
      return isDeepStrictEqual(json, yaml(text).content);
    }),
    { numRuns: 500 },
  );
  t.ok(read > 200, `${read} were read`);
});

t.test('a text that YAML refuses, or may read in another way, is not read', async (t) => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":{"b":1,"b":1}}',
    '{"a":[{"b":1},{"b":1,"c":2,"b":1}]}',
    '{"a":"${B}"}',
    '{"<<":{"a":1}}',
    '{"__proto__":{"a":1}}',
    '{"\\u005f_proto__":{"a":1}}',
    '{\t"a":1}',
    '\r{}',
    '{\r"a":1}',
    '{"a"\r:1}\r\n',
    '{"a":1',
    '{"a":1} x',
    '{"a":1}{"a":1}',
    '[1]',
    '[{"a":1}]',
    '"{"',
    '"a"',
    'a: 1',
    '',
  ])
    t.equal(readJsonText(text), undefined, text);
});

t.test('colons and quotes inside of texts are no members', async (t) => {
  const value = { a: ':', ':b"': '":\\', 'c\\': ['"', '\\":', ':'], d: { ' :': null } };
  t.same(readJsonText(` \n${JSON.stringify(value)}\n`), { value });
});
