import * as fc from 'fast-check';
import t from 'tap';
import { INVALID, MAX_DEPTH, skipSpace, skipValue } from '../../src/event-filter/scan.ts';

/** Whether the whole text is one JSON value. */
function isJson(text: string): boolean {
  const bytes = Buffer.from(text, 'latin1');
  const stop = skipValue(bytes, skipSpace(bytes, 0), 0);
  return stop !== INVALID && skipSpace(bytes, stop) === bytes.length;
}

function isJsonToNode(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const VALID = [
  '[]',
  '[ ]',
  ' [] ',
  '\t\n\r []\r\n\t',
  '[[]]',
  '[[],[]]',
  '[""]',
  '[1]',
  '[ 1 ]',
  '[1,2]',
  '[1 , 2]',
  '[\n1\n,\n2\n]',
  '{}',
  '{ }',
  '{"":0}',
  '{"a":1}',
  '{ "a" : 1 }',
  '{"a":1,"b":2}',
  '{"a":1,"a":1}',
  '{"a":{}}',
  '{"a":[{}]}',
  '{"a\\u0000":1}',
  'true',
  'false',
  'null',
  '[true,false,null]',
  '"a"',
  '""',
  ' 1 ',
  '0',
  '-0',
  '-1',
  '10',
  '1.0',
  '-0.0',
  '0.10',
  '1e1',
  '1E1',
  '1e+1',
  '1e-1',
  '1E+01',
  '0e0',
  '0e+1',
  '1.5e3',
  '123456789012345678901234567890',
  '1e400',
  '-1e-400',
  '9'.repeat(400),
  '"\\""',
  '"\\\\"',
  '"\\/"',
  '"\\b\\f\\n\\r\\t"',
  '"\\u0000"',
  '"\\uD800"',
  '"\\udc00\\uD800"',
  '"\\uabCD\\uEF01"',
  '"\\\\u0"',
  '"\x7f"',
  '"\x80\xff"',
  '"[{]}:,"',
  '["\\\\"]',
  '"/"',
] as const;

const NOT_VALID = [
  '',
  ' ',
  '\t',
  '[',
  ']',
  '{',
  '}',
  '[1',
  '[1,',
  '[1,]',
  '[,1]',
  '[,]',
  '[1,,2]',
  '[1 2]',
  '[1]]',
  '[[1]',
  '[1}',
  '{]',
  '[)',
  ',',
  ':',
  '{"a"}',
  '{"a":}',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '{,}',
  '{"a" 1}',
  '{"a"::1}',
  '{"a",1}',
  '{:1}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '{"a":1 "b":2}',
  '{"a":1,,"b":2}',
  '{"a":1]',
  '{"a":[}',
  '{"a":[1}]',
  '{[]:1}',
  '{null:1}',
  '{"a":1}}',
  '{"a',
  '{"a"',
  '{"a":',
  '{"a" :',
  'tru',
  'trux',
  'truE',
  'True',
  'TRUE',
  'truetrue',
  'nul',
  'nulll',
  'null1',
  'fals',
  'falsey',
  'NaN',
  'Infinity',
  '-Infinity',
  'undefined',
  't',
  'f',
  'n',
  '+1',
  '-',
  '--1',
  '- 1',
  '01',
  '-01',
  '00',
  '1.',
  '.1',
  '-.1',
  '1.e1',
  '1e',
  '1e+',
  '1e-',
  'e1',
  '1e1.5',
  '1e1e1',
  '1.2.3',
  '0x1',
  '0b1',
  '1_000',
  '1,',
  '1 2',
  '1a',
  '1e1a',
  '-a',
  '0.',
  '0e',
  '1E',
  '1E-',
  '\xb2',
  '-0.e1',
  '0.1.',
  '1e 1',
  '1. 5',
  '"',
  '"a',
  '"\\',
  '"\\"',
  '"\\x41"',
  '"\\\'"',
  '"\\a"',
  '"\\0"',
  '"\\U0041"',
  '"\\u"',
  '"\\u1"',
  '"\\u12"',
  '"\\u123"',
  '"\\u123',
  '"\\u12g4"',
  '"\\u 123"',
  '"\\u+123"',
  '"\\u00\\u0041"',
  '"\\\n"',
  '"\x00"',
  '"\x01"',
  '"\x1f"',
  '"\t"',
  '"\n"',
  '"a""b"',
  "'a'",
  'a',
  '"a" b',
  '"a",',
  '\x0b1',
  '\x0c1',
  '\xa01',
  '\x001',
  '1\x00',
  '[1\x0b]',
  '[\x0c]',
  '\xef\xbb\xbf1',
  '\xfe\xff1',
  '[]\x00',
  '//x\n1',
  '/**/1',
  '1/**/',
  '#1',
  '[1]//',
  '<1>',
  '[1;2]',
  '[0 /**/]',
  '(1)',
  '`a`',
  '{"a":1}#',
  '{"a":1}{"b":2}',
  '[][]',
  '1\n2',
  '\\u0022a\\u0022',
  '[\\n]',
  '*',
  '@',
  '~',
  '[undefined]',
  '{"a":undefined}',
  '[Infinity]',
  '[0x1]',
  '[1.]',
  '[.1]',
  '[01]',
  '[+1]',
  '["a]',
  '[a"]',
  '{"a":tru}',
  '["\x0d"]',
] as const;

void t.test('what RFC 8259 calls JSON is JSON', async (t) => {
  for (const text of VALID) t.equal(isJson(text), true, JSON.stringify(text));
});

void t.test('nothing else is', async (t) => {
  for (const text of NOT_VALID) t.equal(isJson(text), false, JSON.stringify(text));
});

void t.test('the tables agree with JSON.parse', async (t) => {
  for (const text of VALID) t.equal(isJsonToNode(text), true, JSON.stringify(text));
  for (const text of NOT_VALID) t.equal(isJsonToNode(text), false, JSON.stringify(text));
});

void t.test(
  'every single byte, alone, in a string and after a backslash, is judged as JSON.parse judges it',
  async (t) => {
    for (let byte = 0; byte < 256; byte++) {
      const char = String.fromCharCode(byte);
      for (const text of [char, `"${char}"`, `"\\${char}"`, `[1${char}2]`, `${char}[]`, `[]${char}`, `{${char}"a":1}`])
        t.equal(isJson(text), isJsonToNode(text), JSON.stringify(text));
    }
  },
);

void t.test('texts near JSON are judged as JSON.parse judges them', async (t) => {
  const near = fc
    .tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom(...'{}[]",:\\0123456789eE+-. \ntfnu\u0000'.split('')),
      fc.nat(2),
    )
    .map(([text, at, char, kind]) => {
      const place = at % (text.length + 1);
      if (kind === 0) return text.slice(0, place);
      return text.slice(0, place) + char + text.slice(place + kind - 1);
    });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(near, (text) => isJson(text) === isJsonToNode(Buffer.from(text, 'latin1').toString('latin1'))),
      { numRuns: 3_000 },
    ),
  );
});

void t.test('64 levels of any kind are read, 65 are not', async (t) => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ] as const) {
    const levels = open.length > 5 ? 2 : 1;
    const nested = (depth: number): string => {
      const times = Math.floor(depth / levels);
      const odd = depth % levels;
      return '['.repeat(odd) + open.repeat(times) + '0' + close.repeat(times) + ']'.repeat(odd);
    };
    t.equal(isJson(nested(MAX_DEPTH)), true);
    t.equal(isJson(nested(MAX_DEPTH + 1)), false);
    t.equal(isJson(`[${nested(MAX_DEPTH - 1)},${nested(MAX_DEPTH - 1)}]`), true, 'levels are given back');
    t.equal(isJson(nested(1_000_000)), false);
  }
  t.equal(isJson('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH)), true, 'an empty one counts as well');
  t.equal(isJson('['.repeat(MAX_DEPTH + 1) + ']'.repeat(MAX_DEPTH + 1)), false);
  t.equal(isJson(`${'{"a":'.repeat(MAX_DEPTH)}{}${'}'.repeat(MAX_DEPTH)}`), false);
});

void t.test('levels around a value count', async (t) => {
  const bytes = Buffer.from('[[]]');
  t.equal(skipValue(bytes, 0, MAX_DEPTH - 2), 4);
  t.equal(skipValue(bytes, 0, MAX_DEPTH - 1), INVALID);
});
