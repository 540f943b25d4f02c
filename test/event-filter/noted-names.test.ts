import t from 'tap';
import { parseSelector, type EventSelector } from '../../src/config/selector.ts';
import { compileEventFilter, type EventFilter } from '../../src/event-filter/filter.ts';
import { NotedNames } from '../../src/event-filter/noted-names.ts';

function watched(
  allowed: readonly string[] | null,
  selector = 'events[].name',
): { notes: NotedNames; filter: EventFilter } {
  const notes = new NotedNames();
  const filter = compileEventFilter({
    selectors: [parseSelector(selector) as EventSelector],
    allowed: new Set(),
    isAllowed: notes.watch(allowed === null ? null : new Set(allowed)),
    onDisallowed: 'remove',
    unnamed: 'disallow',
  });
  return { notes, filter };
}

const batch = (...names: readonly unknown[]): Buffer =>
  Buffer.from(JSON.stringify({ events: names.map((name) => ({ name })) }));

t.test('each name of a body once, apart by what became of it', (t) => {
  const { notes, filter } = watched(['a', 'ü', 'never']);
  notes.begin();
  t.ok(filter(batch('a', 'x', 'ü', 'a', 'x', 'y')).ok);
  t.same(notes.take(), { allowed: ['a', 'ü'], disallowed: ['x', 'y'] });
  notes.begin();
  t.ok(filter(batch('a')).ok);
  t.same(notes.take(), { allowed: ['a'], disallowed: [] }, 'nothing is left of the body before');
  t.end();
});

t.test('a name is what it stands for, however it is written', (t) => {
  const { notes, filter } = watched(['a"b', 'login']);
  notes.begin();
  filter(Buffer.from('{"events":[{"name":"a\\"b"},{"name":"\\u006cogin"},{"name":"\\u0078\\n"}]}'));
  t.same(notes.take(), { allowed: ['a"b', 'login'], disallowed: ['x\n'] });
  t.end();
});

t.test('all names can be allowed, and are taken down', (t) => {
  const { notes, filter } = watched(null);
  notes.begin();
  const result = filter(batch('a', 'b', 'a'));
  t.ok(result.ok && !result.cut);
  t.same(notes.take(), { allowed: ['a', 'b'], disallowed: [] });
  for (const names of [
    ['b', 'c', 'b', 'c'],
    ['c', 'a', 'c', 'a', 'd'],
    ['d', 'd', 'b', 'b'],
  ]) {
    notes.begin();
    t.ok(filter(batch(...names)).ok);
    t.same(notes.take().allowed, [...new Set(names)], 'once a body, also where they were learnt before');
  }
  notes.begin();
  const unnamed = filter(batch('a', 5));
  t.ok(unnamed.ok && unnamed.removed === 1, 'what is no text is no name');
  t.end();
});

t.test('half a character is no name', (t) => {
  const { notes, filter } = watched(null);
  notes.begin();
  const result = filter(Buffer.from('{"events":[{"name":"a"},{"name":"\\ud800"}]}'));
  t.ok(result.ok && result.removed === 1);
  t.same(notes.take().allowed, ['a']);
  t.end();
});

t.test('of very many names in one body a bounded number is taken down, and all are judged', (t) => {
  const { notes, filter } = watched(['a']);
  notes.begin();
  const made = Array.from({ length: 5000 }, (_, i) => `made-up-${i}`);
  const result = filter(batch(...made, 'a'));
  t.ok(result.ok && result.removed === 5000);
  t.equal(notes.take().disallowed.length, 512);
  t.same(notes.take().allowed, ['a']);
  t.end();
});

t.test('a single event', (t) => {
  const { notes, filter } = watched(['a'], 'name');
  notes.begin();
  t.notOk(filter(Buffer.from('{"name":"b"}')).ok);
  t.same(notes.take(), { allowed: [], disallowed: ['b'] });
  t.end();
});

t.test('bytes that are no text are taken down as nothing', (t) => {
  const { notes, filter } = watched(null, 'name');
  notes.begin();
  t.notOk(filter(Buffer.from([...Buffer.from('{"name":"'), 0xff, ...Buffer.from('"}')])).ok);
  notes.begin();
  t.notOk(filter(Buffer.from('{"name":"a')).ok);
  t.same(notes.take(), { allowed: [], disallowed: [] });
  t.end();
});

t.test('a long name is taken down, and not kept from one body to the next', (t) => {
  const notes = new NotedNames();
  const isAllowed = notes.watch(null);
  /** Of the second body: the names taken down, and whether a text was made, as it is of a name that is not known. */
  const again = (name: string): { allowed: readonly string[]; madeText: boolean } => {
    const bytes = Buffer.from(JSON.stringify(name));
    let madeText = false;
    bytes.toString = (...range) => {
      madeText = true;
      return Buffer.prototype.toString.apply(bytes, range);
    };
    for (let body = 0; body < 2; body++) {
      notes.begin();
      madeText = false;
      isAllowed(bytes, 1, bytes.length - 1);
    }
    return { allowed: notes.take().allowed, madeText };
  };
  const longest = 'a'.repeat(512);
  t.same(again(longest), { allowed: [longest], madeText: false });
  t.same(again(`${longest}a`), { allowed: [`${longest}a`], madeText: true });
  t.end();
});
