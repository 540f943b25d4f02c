import fc from 'fast-check';
import t from 'tap';
import {
  compileMemberSearch,
  cutMember,
  replaceValue,
  stringAt,
  type MemberPlace,
} from '../../src/event-filter/member-value.ts';

const find = compileMemberSearch('api_key');

/** What is at the place, or the refusal's code, or null. */
function look(body: string | Buffer): string | null {
  const text = Buffer.from(body);
  const found = find(text);
  if (!found.ok) return found.refusal.code;
  return found.value && text.toString('utf8', found.value.nameStart, found.value.valueEnd);
}

function place(text: Buffer): MemberPlace {
  const found = find(text);
  if (!found.ok || found.value === null) throw new Error(`not found in ${text.toString()}`);
  return found.value;
}

const cut = (body: string): string => cutMember(Buffer.from(body), place(Buffer.from(body))).toString();

void t.test('the member of the top-level object, in whatever escapes', async (t) => {
  t.equal(look('{"api_key":"x"}'), '"api_key":"x"');
  t.equal(look(' { "a" : 1 , "api_key" : [ 1 ] } '), '"api_key" : [ 1 ]');
  t.equal(look('{"\\u0061pi_key":"x"}'), '"\\u0061pi_key":"x"');
  t.equal(look('{"a":{"api_key":"deeper"},"b":"api_key"}'), null);
  t.equal(look('{}'), null);
  for (const other of ['[{"api_key":"x"}]', '"api_key"', '1', 'null']) t.equal(look(other), null, other);
});

void t.test('what could be read in two ways is refused', async (t) => {
  const bodies = [
    '{"api_key":"x","api_key":"y"}',
    '{"api_key":"x","api_key":"x"}',
    '{"api_key":"x","\\u0061pi_key":"y"}',
    '{"api_key":"x","API_KEY":"y"}',
    '{"Api_Key":"x"}',
    '{"api_\\u212aey":"x"}',
    '{"api_key\\u0000":"x"}',
    '{" api_key":"x"}',
    '{"__proto__":{"api_key":"x"}}',
    '{"api_key":"x","__proto__":{"api_key":"y"}}',
  ];
  for (const body of bodies) t.equal(look(body), 'ambiguous_body', body);
});

void t.test('what is not JSON is refused', async (t) => {
  const bodies = [
    '',
    ' ',
    '{',
    '{"api_key":"x"',
    '{"api_key":"x",}',
    "{'api_key':'x'}",
    '{"api_key":"x"}{}',
    'api_key=x',
  ];
  for (const body of [...bodies, '\ufeff{"api_key":"x"}']) t.equal(look(body), 'invalid_json', JSON.stringify(body));
  t.equal(look(Buffer.from('{"api_key":"\xff"}', 'latin1')), 'invalid_json');
  t.equal(look(Buffer.from('{"api_key":"x"}', 'utf16le')), 'invalid_json');
  t.equal(look(`{"a":${'['.repeat(64)}${']'.repeat(64)},"api_key":"x"}`), 'invalid_json', 'too deep');
});

void t.test('the value, if it is a string', async (t) => {
  const value = (written: string): string | null => {
    const text = Buffer.from(`{"api_key": ${written} }`);
    return stringAt(text, place(text));
  };
  t.equal(value('"x"'), 'x');
  t.equal(value('"\\u0078\\n\\ud83d\\ude00\u20ac"'), 'x\n\u{1f600}\u20ac');
  t.equal(value('""'), '');
  for (const other of ['1', 'null', 'true', '["x"]', '{"x":"x"}']) t.equal(value(other), null, other);
});

void t.test('a member goes with its spacing and one comma', async (t) => {
  t.equal(cut('{"api_key":"x"}'), '{}');
  t.equal(cut(' { "api_key" : "x" } '), ' {} ');
  t.equal(cut('{"api_key":"x", "a":1}'), '{ "a":1}');
  t.equal(cut('{"a":1 , "api_key":"x"}'), '{"a":1 }');
  t.equal(cut('{"a":1,\n  "api_key": "x",\n  "b":2\n}'), '{"a":1,\n  "b":2\n}');
  t.equal(cut('{"a":",","api_key":",\\"}","b":"{"}'), '{"a":",","b":"{"}');
});

/** White space, and members as they may be written; names never fold to the one looked for. */
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 3 });
const spaced = (token: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(space, token, space).map((parts) => parts.join(''));
const other = fc
  .tuple(spaced(fc.string().map((name) => JSON.stringify(`~${name}`))), spaced(fc.json({ maxDepth: 3 })))
  .map((parts) => parts.join(':'));
const wanted = fc
  .tuple(spaced(fc.constantFrom('"api_key"', '"api\\u005fkey"')), space, fc.string(), space)
  .map(([name, before, secret, after]) => ({ start: `${name}:${before}`, value: JSON.stringify(secret), end: after }));
const bodies = fc.tuple(fc.array(other, { maxLength: 4 }), wanted, fc.array(other, { maxLength: 4 }));

void t.test('cutting keeps every other byte, and what is left is the JSON of the other members', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bodies, space, ([before, { start, value, end }, after], around) => {
        const text = Buffer.from(`${around}{${[...before, start + value + end, ...after].join(',')}}${around}`);
        const left = cutMember(text, place(text)).toString();
        JSON.parse(left);
        return left === `${around}{${[...before, ...after].join(',')}}${around}` && look(left) === null;
      }),
    ),
  );
});

void t.test('replacing keeps every other byte, and readers find the new value', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bodies, fc.string({ unit: 'grapheme' }), ([before, { start, value, end }, after], literal) => {
        const text = Buffer.from(`{${[...before, start + value + end, ...after].join(',')}}`);
        const replaced = replaceValue(text, place(text), literal);
        const kept = `{${[...before, start + JSON.stringify(literal) + end, ...after].join(',')}}`;
        const read = JSON.parse(replaced.toString()) as Record<string, unknown>;
        return replaced.equals(Buffer.from(kept)) && read['api_key'] === literal;
      }),
    ),
  );
});
