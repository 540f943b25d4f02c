import * as fc from 'fast-check';
import t from 'tap';
import { parseSelector, type EventSelector } from '../../src/config/selector.ts';
import { compileEventFilter, type EventRule } from '../../src/event-filter/filter.ts';

function namesOf(selector: string, body: string, rule: Partial<EventRule> = {}): readonly string[] {
  const filter = compileEventFilter({
    selectors: [parseSelector(selector) as EventSelector],
    allowed: new Set(['a']),
    onDisallowed: 'remove',
    unnamed: 'disallow',
    ...rule,
  });
  return filter(Buffer.from(body)).names;
}

const batch = (...names: readonly unknown[]): string => JSON.stringify({ events: names.map((name) => ({ name })) });

t.test('the first five names that are refused or cut out, each once', (t) => {
  const names = (...of: readonly unknown[]) => namesOf('events[].name', batch(...of));
  t.same(names('a', 'a'), []);
  t.same(names('a', 'b', 'c', 'b', 'a', 'c'), ['b', 'c']);
  t.same(names('b', 'c', 'd', 'e', 'f', 'g', 'a'), ['b', 'c', 'd', 'e', 'f']);
  t.same(names('b', 1, null, undefined, ['c'], { a: 1 }), ['b'], 'what is no text is no name');
  t.same(namesOf('events[].name', batch('a', 'b'), { onDisallowed: 'reject' }), ['b']);
  t.same(namesOf('name', '{"name":"b"}'), ['b']);
  t.same(namesOf('name', '{"name":"a"}'), []);
  t.same(namesOf('name', '{"name":7}'), []);
  t.same(namesOf('events[].name', `${batch('b')}x`), [], 'of no JSON there are none');
  t.same(namesOf('events[].name', '{"events":[{"name":"b"},{"name":"c","name":"d"}]}'), [], 'nor of what is ambiguous');
  t.end();
});

t.test('a name of an item before is not taken for that of one without', (t) => {
  const rule = { when: { member: 'type', is: ['track'], pass: [] } };
  const items = '[{"type":"track","p":{"name":"b"}},{"type":"other"},{"type":"other","p":{"name":"c"}}]';
  const filter = compileEventFilter({
    selectors: [parseSelector('[].p.name') as EventSelector],
    allowed: new Set(['a']),
    onDisallowed: 'remove',
    unnamed: 'disallow',
    ...rule,
  });
  t.same(filter(Buffer.from(items)).names, ['b', 'c']);
  t.same(filter(Buffer.from('[{"type":"other"}]')).names, [], 'nor of a body before');
  t.end();
});

t.test('a name is the text that its string of JSON means, of at most 64 characters, none of them halved', (t) => {
  const spelled = (name: string, escaped: boolean): string =>
    escaped
      ? `"${Array.from({ length: name.length }, (_, i) => `\\u${hex(name.charCodeAt(i))}`).join('')}"`
      : JSON.stringify(name);
  const hex = (unit: number): string => unit.toString(16).padStart(4, '0');
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 90 }), fc.boolean(), (text, escaped) => {
        const name = `${text}!`;
        const [found = ''] = namesOf('name', `{"name":${spelled(name, escaped)}}`);
        return (
          found.length <= 64 && name.startsWith(found) && (found === name || name.length > 64) && !/\p{Cs}/u.test(found)
        );
      }),
    ),
  );
  t.same(namesOf('name', `{"name":"${'x'.repeat(65)}"}`), ['x'.repeat(64)]);
  t.same(namesOf('name', `{"name":"${'x'.repeat(63)}😀"}`), ['x'.repeat(63)]);
  t.end();
});
