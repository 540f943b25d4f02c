import t from 'tap';
import { parseSelector } from '../../src/config/selector.ts';

void t.test('reads where a body has its event names', async (t) => {
  t.strictSame(parseSelector('name'), { kind: 'single', member: 'name' });
  t.strictSame(parseSelector('events[].name'), { kind: 'batch', container: 'events', member: 'name' });
  t.strictSame(parseSelector('[].event'), { kind: 'batch', container: null, member: 'event' });
  t.strictSame(parseSelector('my events[].$event-name'), {
    kind: 'batch',
    container: 'my events',
    member: '$event-name',
  });
  t.strictSame(parseSelector('straße[].イベント'), { kind: 'batch', container: 'straße', member: 'イベント' });
  t.strictSame(parseSelector('constructor'), { kind: 'single', member: 'constructor' });
});

void t.test('refuses what could be taken for a path, or is no name', async (t) => {
  for (const text of [
    '',
    '[]',
    '[].',
    'events[]',
    'events[].',
    'events[]name',
    'events.name',
    'events[].data.name',
    '[][].name',
    'a[].b[].c',
    'events[0].name',
    '.name',
    'name.',
    ' name',
    'events[]. name',
    'events [].name',
    'na\u0000me',
    'na\u200bme',
    'na\ud800me',
    'na\ufffdme',
  ])
    t.equal(parseSelector(text), null, JSON.stringify(text));
});
