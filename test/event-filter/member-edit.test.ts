import fc from 'fast-check';
import t from 'tap';
import { editMembers } from '../../src/event-filter/member-edit.ts';
import { compileMemberSearch, type MemberPlace } from '../../src/event-filter/member-value.ts';

const find = compileMemberSearch('api_key');

function placesIn(text: Buffer, search = find): readonly MemberPlace[] {
  const found = search(text);
  if (!found.ok) throw new Error(`refused: ${text.toString()}`);
  return found.value;
}

const place = (text: Buffer): MemberPlace => placesIn(text)[0] as MemberPlace;

const cut = (body: string): string =>
  editMembers(Buffer.from(body), [{ place: place(Buffer.from(body)), value: null }]).toString();

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
        const left = editMembers(text, [{ place: place(text), value: null }]).toString();
        JSON.parse(left);
        return (
          left === `${around}{${[...before, ...after].join(',')}}${around}` && placesIn(Buffer.from(left)).length === 0
        );
      }),
    ),
  );
});

void t.test('replacing keeps every other byte, and readers find the new value', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bodies, fc.string({ unit: 'grapheme' }), ([before, { start, value, end }, after], literal) => {
        const text = Buffer.from(`{${[...before, start + value + end, ...after].join(',')}}`);
        const replaced = editMembers(text, [{ place: place(text), value: literal }]);
        const kept = `{${[...before, start + JSON.stringify(literal) + end, ...after].join(',')}}`;
        const read = JSON.parse(replaced.toString()) as Record<string, unknown>;
        return replaced.equals(Buffer.from(kept)) && read['api_key'] === literal;
      }),
    ),
  );
});

void t.test('several members at once, in whatever order they are given', async (t) => {
  const names = ['a', 'b', 'c'];
  const subsets = [['a'], ['b'], ['c'], ['a', 'b'], ['b', 'a'], ['a', 'c'], ['c', 'b'], ['c', 'a', 'b']];
  const text = Buffer.from(' { "a" : 1 , "b" : [2] , "c" : {"a":3} } ');
  const edits = (chosen: readonly string[], value: string | null) =>
    chosen.map((name) => ({ place: placesIn(text, compileMemberSearch(name))[0] as MemberPlace, value }));
  for (const chosen of subsets) {
    const left = JSON.parse(editMembers(text, edits(chosen, null)).toString()) as Record<string, unknown>;
    t.same(
      Object.keys(left),
      names.filter((name) => !chosen.includes(name)),
      chosen.join(),
    );
    const replaced = JSON.parse(editMembers(text, edits(chosen, 'x"')).toString()) as Record<string, unknown>;
    t.same(
      Object.entries(replaced).filter(([, value]) => value === 'x"'),
      names.filter((name) => chosen.includes(name)).map((name) => [name, 'x"']),
      chosen.join(),
    );
  }
  t.same(
    editMembers(text, [...edits(['a'], 'x'), ...edits(['b'], null)]).toString(),
    ' { "a" : "x" , "c" : {"a":3} } ',
  );
  t.equal(editMembers(text, []).toString(), text.toString());
});

void t.test('one in every item, and one inside of another', async (t) => {
  const items = Buffer.from('[{"t":"1"},{"a":1,"t":"2"},{"t":"3","b":2}]');
  const all = placesIn(items, compileMemberSearch('[]/t'));
  t.equal(
    editMembers(
      items,
      all.map((at) => ({ place: at, value: null })),
    ).toString(),
    '[{},{"a":1},{"b":2}]',
  );
  const nested = Buffer.from('{"p":{"t":"1"},"a":1}');
  const both = [...placesIn(nested, compileMemberSearch('p/t')), ...placesIn(nested, compileMemberSearch('p'))];
  t.equal(
    editMembers(
      nested,
      both.map((at) => ({ place: at, value: null })),
    ).toString(),
    '{"a":1}',
  );
  t.equal(
    editMembers(
      nested,
      both.map((at) => ({ place: at, value: 'x' })),
    ).toString(),
    '{"p":"x","a":1}',
  );
});
