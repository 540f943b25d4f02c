import fc from 'fast-check';
import t from 'tap';
import { compileMemberSearch, stringAt, type MemberPlace } from '../../src/event-filter/member-value.ts';

const find = compileMemberSearch('api_key');

/** What is at the place, or the refusal's code, or null. */
function look(body: string | Buffer): string | null {
  const text = Buffer.from(body);
  const found = find(text);
  if (!found.ok) return found.refusal.code;
  const [place] = found.value;
  return place === undefined ? null : text.toString('utf8', place.nameStart, place.valueEnd);
}

function place(text: Buffer): MemberPlace {
  const found = find(text);
  if (!found.ok || found.value.length !== 1) throw new Error(`not found once in ${text.toString()}`);
  return found.value[0] as MemberPlace;
}

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

/** The values found by a path, or the refusal's code. */
function valuesAt(path: string, body: string): readonly string[] | string {
  const text = Buffer.from(body);
  const found = compileMemberSearch(path)(text);
  if (!found.ok) return found.refusal.code;
  return found.value.map(({ valueStart, valueEnd }) => text.toString('utf8', valueStart, valueEnd));
}

void t.test('a path leads into objects and every item of a list', async (t) => {
  t.same(valuesAt('properties/token', '{"token":"0","properties":{"a":[{"token":"1"}],"token":"2"}}'), ['"2"']);
  t.same(valuesAt('[]/token', '[{"token":"1"},{"a":1}, 2, [{"token":"3"}], {"token":"4"}]'), ['"1"', '"4"']);
  t.same(valuesAt('batch/[]/properties/token', '{"batch":[{"properties":{"token":"1"}},{"properties":{"token":2}}]}'), [
    '"1"',
    '2',
  ]);
  for (const body of ['{"token":"1"}', '[]', ' [ ] ', '[[{"token":"1"}]]', '"token"', 'null', '{"[]":{"token":"1"}}'])
    t.same(valuesAt('[]/token', body), [], body);
});

void t.test('on a path, too, what could be read in two ways is refused', async (t) => {
  const bodies = [
    '{"p":{"t":"x"},"p":{"t":"y"}}',
    '{"p":{"t":"x"},"P":{"t":"y"}}',
    '{"P":{"t":"x"}}',
    '{"p":{"t":"x","t":"x"}}',
    '{"p":{"T":"x"}}',
    '{"p":{"__proto__":{"t":"x"}}}',
    '{"__proto__":{"p":{"t":"x"}}}',
    '{"p":{"t":"x"},"p.t":"y"}',
    '{"P.t":"x"}',
  ];
  for (const body of bodies) {
    t.equal(valuesAt('p/t', body), 'ambiguous_body', body);
    t.equal(valuesAt('[]/p/t', `[{"p":{"t":"x"}},${body}]`), 'ambiguous_body', body);
  }
  t.same(valuesAt('p/t', '{"p":{"t":"x"},"q":{"p":1,"P":2}}'), ['"x"'], 'nobody looks beside the path');
  t.same(valuesAt('p/[]/t', '{"p":[{"t":"x"}],"p.t":"y"}'), ['"x"'], 'no list is found by a name');
  for (const body of ['[{"t":"x"}', '[{"t":"x"},]', '[{"t":"x"}]]', '[{"t":"x" "u":1}]', '[{"t":"x"}{"t":"y"}]'])
    t.equal(valuesAt('[]/t', body), 'invalid_json', body);
  t.equal(valuesAt('[]/t', `[${'['.repeat(64)}${']'.repeat(64)}]`), 'invalid_json', 'too deep');
});

void t.test('what a path finds is what a parser finds', async (t) => {
  const leaf = fc.record(
    { t: fc.string(), u: fc.json({ maxDepth: 1 }).map((text) => JSON.parse(text) as unknown) },
    { requiredKeys: [] },
  );
  const item = fc.oneof(
    fc.record({ p: fc.oneof(leaf, fc.array(leaf), fc.integer()), q: leaf }, { requiredKeys: [] }),
    fc.integer(),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(item), fc.constantFrom(undefined, 1, '\t'), (items, space) => {
        const found = valuesAt('[]/p/t', JSON.stringify(items, null, space));
        const wanted = items.flatMap((one) => {
          const inner = typeof one === 'object' ? one.p : undefined;
          return typeof inner === 'object' && !Array.isArray(inner) && inner.t !== undefined
            ? [JSON.stringify(inner.t)]
            : [];
        });
        return JSON.stringify(found) === JSON.stringify(wanted);
      }),
    ),
  );
});
