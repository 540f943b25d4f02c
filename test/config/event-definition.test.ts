import t from 'tap';
import { eventPlaces, eventProblem } from '../../src/config/event-definition.ts';
import { parseSelector } from '../../src/config/selector.ts';

t.test('where the events are, made ready', async (t) => {
  t.equal(eventPlaces({}), null);
  t.same(eventPlaces({ events: 'name' }), { selectors: [parseSelector('name')], unnamed: 'disallow', when: null });
  const when = { member: 'type', is: ['track'], pass: ['page'] };
  t.same(eventPlaces({ events: ['a[].name', 'name'], unnamed: 'allow', when }), {
    selectors: [parseSelector('a[].name'), parseSelector('name')],
    unnamed: 'allow',
    when,
  });
});

t.test('what is wrong with it', async (t) => {
  t.equal(eventProblem({}), null);
  for (const events of ['name', 'a.b.c[].name', ['batch[].event', '[].event', 'event', 'payload.event']])
    t.equal(eventProblem({ events }), null, String(events));
  t.match(eventProblem({ events: ['name', 'a[0].b'] }), /^events "a\[0\]\.b" is no selector/);
  // One that no parser could tell from the other.
  for (const events of [
    ['name', 'NAME'],
    ['data[].x', 'data.y'],
    ['ſ.x', 's[].x'],
    ['[].a', '[].b.c'],
  ])
    t.match(eventProblem({ events }), /begins like another selector/, events.join());
  const kinds = (member: string, events: string) => eventProblem({ events, when: { member, is: ['x'], pass: ['y'] } });
  t.equal(kinds('type', 'events[].name'), null);
  for (const [member, events] of [
    ['name', 'events[].name'],
    ['NAME', 'name'],
    ['data', 'events[].data.name'],
  ] as const)
    t.match(kinds(member, events), /is what events looks for/, `${member} ${events}`);
  t.equal(kinds('name', 'events[].data.name'), null, 'at another level');
  for (const member of ['', 'a.b', 'a[]', ' a']) t.match(kinds(member, 'x'), /is no name of a member/, member);
});
